package dev.outboard.emulation.edu;

import static dev.outboard.specs.edu.EduRegisters.BUFFER;
import static dev.outboard.specs.edu.EduRegisters.BUFFER_BYTES;
import static dev.outboard.specs.edu.EduRegisters.DMA_COMMAND;
import static dev.outboard.specs.edu.EduRegisters.DMA_COUNT;
import static dev.outboard.specs.edu.EduRegisters.DMA_DESTINATION;
import static dev.outboard.specs.edu.EduRegisters.DMA_DIRECTION;
import static dev.outboard.specs.edu.EduRegisters.DMA_INTERRUPT;
import static dev.outboard.specs.edu.EduRegisters.DMA_RUN;
import static dev.outboard.specs.edu.EduRegisters.DMA_SOURCE;
import static dev.outboard.specs.edu.EduRegisters.FACTORIAL;
import static dev.outboard.specs.edu.EduRegisters.IDENTIFICATION;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_ACKNOWLEDGE;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_DMA;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_FACTORIAL;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_RAISE;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_STATUS;
import static dev.outboard.specs.edu.EduRegisters.LIVENESS;
import static dev.outboard.specs.edu.EduRegisters.STATUS;
import static dev.outboard.specs.edu.EduRegisters.STATUS_COMPUTING;
import static dev.outboard.specs.edu.EduRegisters.STATUS_INTERRUPT;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.edu.EduRegisters;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * QEMU's device for teaching: turns numbers around, computes factorials while the driver waits, and moves memory to and
 * from a buffer of its own. QEMU, docs/specs/edu.rst. A transfer that does not lie in the buffer moves
 * nothing; one that leaves the memory that the client mapped ends there.
 */
public final class EduModel extends PciModel {
    private static final int CLASS_OTHER = 0x00ff00;
    private static final int REVISION = 0x10;
    private static final int SUBSYSTEM_VENDOR_ID = 0x1af4;
    private static final int SUBSYSTEM_ID = 0x1100;
    private static final long IDENTITY = EduRegisters.IDENTIFICATION_MAJOR.of(1)
            | EduRegisters.IDENTIFICATION_MARK.of(EduRegisters.IDENTIFICATION_MARK.valueOf("EDU"));
    private static final int REGISTER_BYTES = (int) DMA_COMMAND.offset() + Long.BYTES;
    private static final long LOW_HALF = 0xffff_ffffL;

    private final EduOptions options;
    private final MemorySegment buffer = MemorySegment.ofArray(new byte[BUFFER_BYTES]);
    private final long[] registers = new long[REGISTER_BYTES / Integer.BYTES];
    private long factorialStartNanos;
    private long transferStartNanos;

    /**
     * A device that was just reset.
     *
     * @param options what it shall be
     */
    public EduModel(EduOptions options) {
        super(
                new Identity(
                        EduRegisters.VENDOR_ID,
                        EduRegisters.DEVICE_ID,
                        CLASS_OTHER,
                        REVISION,
                        SUBSYSTEM_VENDOR_ID,
                        SUBSYSTEM_ID),
                new InterruptKinds(true, options.interrupt() == EduOptions.Signal.MSI, 0));
        this.options = options;
        addBar(Bar.of(0, EduRegisters.BAR_BYTES, new Bar0()));
        resetFunction();
    }

    @Override
    protected void resetFunction() {
        Arrays.fill((byte[]) buffer.heapBase().orElseThrow(), (byte) 0);
        Arrays.fill(registers, 0);
        set(IDENTIFICATION, IDENTITY);
        interrupts().assertIntx(false);
    }

    private long get(Register register) {
        return registers[(int) register.offset() / Integer.BYTES];
    }

    private void set(Register register, long value) {
        registers[(int) register.offset() / Integer.BYTES] = value;
    }

    private boolean isComputing() {
        return STATUS_COMPUTING.isSet(get(STATUS));
    }

    private boolean isTransferring() {
        return DMA_RUN.isSet(get(DMA_COMMAND));
    }

    /** Time passes while it computes or moves memory. */
    @Override
    public boolean polls() {
        return isComputing() || isTransferring();
    }

    @Override
    public int doWork() {
        int work = 0;
        if (isComputing() && isOver(factorialStartNanos)) {
            set(FACTORIAL, factorial((int) get(FACTORIAL)));
            set(STATUS, STATUS_COMPUTING.set(get(STATUS), 0));
            if (STATUS_INTERRUPT.isSet(get(STATUS))) {
                raise(INTERRUPT_FACTORIAL.mask());
            }
            work++;
        }
        if (isTransferring() && isOver(transferStartNanos)) {
            transfer();
            set(DMA_COMMAND, DMA_RUN.set(get(DMA_COMMAND), 0));
            if (DMA_INTERRUPT.isSet(get(DMA_COMMAND))) {
                raise(INTERRUPT_DMA.mask());
            }
            work++;
        }
        return work;
    }

    private boolean isOver(long startNanos) {
        return System.nanoTime() - startNanos >= options.delay().toNanos();
    }

    /** Modulo 2 to the 32nd, so that it is zero from 34 on. */
    private static long factorial(int number) {
        int product = 1;
        for (int factor = number; factor != 0 && product != 0; factor--) {
            product *= factor;
        }
        return Integer.toUnsignedLong(product);
    }

    private void transfer() {
        boolean toMemory = DMA_DIRECTION.isSet(get(DMA_COMMAND));
        long start = get(toMemory ? DMA_SOURCE : DMA_DESTINATION) - BUFFER;
        long address = get(toMemory ? DMA_DESTINATION : DMA_SOURCE) & options.dmaMask();
        long count = get(DMA_COUNT);
        if (!isBusMaster() || start < 0 || count < 0 || count > BUFFER_BYTES || start > BUFFER_BYTES - count) {
            return;
        }
        MemorySegment part = buffer.asSlice(start, count);
        if (toMemory) {
            dma().write(address, part);
        } else {
            dma().read(address, part);
        }
    }

    private void raise(long causes) {
        set(INTERRUPT_STATUS, get(INTERRUPT_STATUS) | causes);
        if (get(INTERRUPT_STATUS) == 0) {
            return;
        }
        if (!interrupts().isMsiConnected()) {
            interrupts().assertIntx(true);
        } else if (isBusMaster()) {
            interrupts().raiseMsi();
        }
    }

    private void acknowledge(long causes) {
        set(INTERRUPT_STATUS, get(INTERRUPT_STATUS) & ~causes);
        if (get(INTERRUPT_STATUS) == 0) {
            interrupts().assertIntx(false);
        }
    }

    private final class Bar0 implements RegisterAccess {
        private static final long WIDE_REGISTERS = 0x80;

        /** What has no register, or is accessed in a width that is not allowed, reads all ones and ignores writes. */
        private static @Nullable Register at(long offset, int widthBytes) {
            boolean allowed = widthBytes == Integer.BYTES || (widthBytes == Long.BYTES && offset >= WIDE_REGISTERS);
            return allowed ? EduRegisters.ALL.at(offset).orElse(null) : null;
        }

        @Override
        public long read(long offset, int widthBytes) {
            Register register = at(offset, widthBytes);
            return register == null || !register.access().isReadable() ? -1 : get(register);
        }

        @Override
        public void write(long offset, int widthBytes, long written) {
            Register register = at(offset, widthBytes);
            if (register == null) {
                return;
            }
            long value = widthBytes == Integer.BYTES ? written & LOW_HALF : written;
            if (register.equals(LIVENESS)) {
                set(LIVENESS, ~value & LOW_HALF);
            } else if (register.equals(FACTORIAL)) {
                compute(value);
            } else if (register.equals(STATUS)) {
                set(STATUS, STATUS_INTERRUPT.set(get(STATUS), STATUS_INTERRUPT.get(value)));
            } else if (register.equals(INTERRUPT_RAISE)) {
                raise(value);
            } else if (register.equals(INTERRUPT_ACKNOWLEDGE)) {
                acknowledge(value);
            } else if (register.offset() >= WIDE_REGISTERS) {
                writeDma(register, value);
            }
        }

        private void compute(long number) {
            if (!isComputing()) {
                set(FACTORIAL, number);
                set(STATUS, STATUS_COMPUTING.set(get(STATUS), 1));
                factorialStartNanos = System.nanoTime();
            }
        }

        /** What a transfer goes by cannot be changed while it runs. */
        private void writeDma(Register register, long value) {
            boolean starts = register.equals(DMA_COMMAND);
            if (isTransferring() || (starts && !DMA_RUN.isSet(value))) {
                return;
            }
            set(register, value);
            if (starts) {
                transferStartNanos = System.nanoTime();
            }
        }
    }
}
