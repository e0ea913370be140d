package dev.outboard.emulation.nvme;

import static dev.outboard.specs.nvme.NvmeRegisters.ACQ;
import static dev.outboard.specs.nvme.NvmeRegisters.AQA;
import static dev.outboard.specs.nvme.NvmeRegisters.ASQ;
import static dev.outboard.specs.nvme.NvmeRegisters.CAP;
import static dev.outboard.specs.nvme.NvmeRegisters.CC;
import static dev.outboard.specs.nvme.NvmeRegisters.CSTS;
import static dev.outboard.specs.nvme.NvmeRegisters.INTMC;
import static dev.outboard.specs.nvme.NvmeRegisters.INTMS;
import static dev.outboard.specs.nvme.NvmeRegisters.VS;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.PciModel;
import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.nvme.CompletionEntry;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.Arrays;

/**
 * An NVMe controller with one namespace: version 1.4, PRPs, several I/O queues, MSI-X or INTx. What the namespace holds
 * stays for as long as the model lives (with a file: longer), resets and clients come and go.
 */
public final class NvmeModel extends PciModel {
    static final int VENDOR_ID = 0x1b36;
    static final int VERSION = 0x00010400;
    static final int MAXIMUM_QUEUE_ENTRIES = 4096;

    // The identity of QEMU's controller. Linux ignores the namespace identifiers of that one, which suits: those of two
    // models with the same serial number are the same.
    private static final int DEVICE_ID = 0x0010;
    private static final int CLASS_NVME = 0x010802;
    private static final int REVISION = 1;
    private static final long BAR_BYTES = 0x4000;
    private static final long READY_TIMEOUT_HALF_SECONDS = 20;
    private static final long NVM_COMMAND_SET = 1;
    // MDTS: 1 MiB, in pages of 4 KiB.
    private static final int MAXIMUM_TRANSFER_SHIFT = 8;
    private static final long SHUTDOWN_COMPLETE = 2;
    private static final int REGISTER_BYTES = 0x40;

    private final NvmeOptions options;
    private final Arena arena = Arena.ofShared();
    private final BackingStore store;
    private final Doorbells doorbells;
    private final QueueSet queues;
    private final AdminCommands admin;
    private final IoCommands io;
    private final int[] registers = new int[REGISTER_BYTES / Integer.BYTES];
    private int interruptMask;
    private boolean enabled;

    /**
     * A controller that was just reset.
     *
     * @param options what it shall be
     * @throws IOException if its file cannot be opened, or there is no memory for it
     */
    public NvmeModel(NvmeOptions options) throws IOException {
        super(
                new Identity(VENDOR_ID, DEVICE_ID, CLASS_NVME, REVISION, VENDOR_ID, DEVICE_ID),
                true,
                options.ioQueues() + 1);
        this.options = options;
        store = new BackingStore(options);
        doorbells = new Doorbells(BAR_BYTES);
        queues = new QueueSet(options.ioQueues(), dma(), doorbells, interrupts());
        Statistics statistics = new Statistics();
        DataPointer data = new DataPointer(dma());
        long maximumTransfer = DmaSpace.PAGE_BYTES << MAXIMUM_TRANSFER_SHIFT;
        io = new IoCommands(store, options.blockSizeBytes(), maximumTransfer, data, statistics);
        long blockCount = store.segment().byteSize() / options.blockSizeBytes();
        admin = new AdminCommands(
                queues,
                dma(),
                interrupts().msixVectors(),
                data,
                new IdentifyData(options, blockCount, MAXIMUM_TRANSFER_SHIFT),
                new LogPages(options, statistics),
                arena);
        addBar(new Bar(0, BAR_BYTES, Bar.Space.MEMORY_64, new Bar0(), doorbells.shared()));
        resetFunction();
    }

    /**
     * What the controller is.
     *
     * @return the options it was made with
     */
    public NvmeOptions options() {
        return options;
    }

    @Override
    public int doWork() {
        if (!polls()) {
            return 0;
        }
        int work = queues.serve(admin, io) + admin.completeEvents();
        if (interrupts().isIntxConnected()) {
            interrupts().assertIntx(interruptMask == 0 && queues.wantsIntx());
        }
        return work;
    }

    @Override
    public boolean polls() {
        return enabled && isBusMaster();
    }

    @Override
    protected void resetFunction() {
        disable();
        Arrays.fill(registers, 0);
        set(
                CAP,
                NvmeRegisters.CAP_MQES.of(MAXIMUM_QUEUE_ENTRIES - 1)
                        | NvmeRegisters.CAP_CQR.of(1)
                        | NvmeRegisters.CAP_TO.of(READY_TIMEOUT_HALF_SECONDS)
                        | NvmeRegisters.CAP_CSS.of(NVM_COMMAND_SET));
        set(VS, VERSION);
    }

    // Controller reset. NVMe base specification 2.0, 3.7.2: the admin queue registers keep their values.
    private void disable() {
        enabled = false;
        queues.deleteAll();
        admin.reset();
        doorbells.clear();
        interruptMask = 0;
        interrupts().assertIntx(false);
        set(CSTS, 0);
    }

    private void enable() {
        int sizes = (int) get(AQA);
        int submissionEntries = (int) NvmeRegisters.AQA_ASQS.get(sizes) + 1;
        int completionEntries = (int) NvmeRegisters.AQA_ACQS.get(sizes) + 1;
        long submission = get(ASQ);
        long completion = get(ACQ);
        boolean possible = isPossible((int) get(CC))
                && submissionEntries > 1
                && completionEntries > 1
                && ((submission | completion) & (DmaSpace.PAGE_BYTES - 1)) == 0
                && dma().readable(submission, SubmissionQueue.sizeBytes(submissionEntries)) != null
                && dma().writable(completion, CompletionQueue.sizeBytes(completionEntries)) != null;
        if (!possible) {
            set(CSTS, NvmeRegisters.CSTS_CFS.mask());
            return;
        }
        CompletionQueue adminCompletion = queues.createCompletion(0, completionEntries, completion, true, 0);
        queues.createSubmission(0, submissionEntries, submission, adminCompletion);
        enabled = true;
        set(CSTS, NvmeRegisters.CSTS_RDY.mask());
    }

    private static boolean isPossible(int configuration) {
        return NvmeRegisters.CC_CSS.get(configuration) == 0
                && NvmeRegisters.CC_MPS.get(configuration) == 0
                && NvmeRegisters.CC_AMS.get(configuration) == 0
                && isZeroOr(NvmeRegisters.CC_IOSQES, configuration, SubmissionEntry.SIZE_SHIFT)
                && isZeroOr(NvmeRegisters.CC_IOCQES, configuration, CompletionEntry.SIZE_SHIFT);
    }

    // Drivers may set the entry sizes after they enabled the controller, before they create I/O queues.
    private static boolean isZeroOr(Field field, int configuration, int value) {
        return field.get(configuration) == 0 || field.get(configuration) == value;
    }

    private void configure(int configuration) {
        boolean before = NvmeRegisters.CC_EN.isSet(get(CC));
        boolean after = NvmeRegisters.CC_EN.isSet(configuration);
        set(CC, configuration);
        if (before && !after) {
            disable();
        } else if (!before && after) {
            enable();
        }
        if (NvmeRegisters.CC_SHN.isSet(configuration)) {
            store.flush(0, store.segment().byteSize());
            set(CSTS, NvmeRegisters.CSTS_SHST.set(get(CSTS), SHUTDOWN_COMPLETE));
        }
    }

    private long get(Register register) {
        int at = (int) register.offset() / Integer.BYTES;
        long low = Integer.toUnsignedLong(registers[at]);
        return register.widthBits() == Long.SIZE ? low | (long) registers[at + 1] << Integer.SIZE : low;
    }

    private void set(Register register, long value) {
        int at = (int) register.offset() / Integer.BYTES;
        registers[at] = (int) value;
        if (register.widthBits() == Long.SIZE) {
            registers[at + 1] = (int) (value >>> Integer.SIZE);
        }
    }

    /** The registers, and the doorbells for clients that do not map them. */
    private final class Bar0 implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            if (widthBytes == Long.BYTES) {
                return read(offset, Integer.BYTES) | read(offset + Integer.BYTES, Integer.BYTES) << Integer.SIZE;
            }
            long word = Integer.toUnsignedLong(readWord(offset & -Integer.BYTES));
            long shifted = word >>> ((offset & (Integer.BYTES - 1)) * Byte.SIZE);
            return widthBytes == Integer.BYTES ? shifted : shifted & ((1L << (widthBytes * Byte.SIZE)) - 1);
        }

        private int readWord(long offset) {
            if (offset == INTMS.offset() || offset == INTMC.offset()) {
                return interruptMask;
            }
            if (offset < REGISTER_BYTES) {
                return registers[(int) offset / Integer.BYTES];
            }
            return isDoorbell(offset) ? doorbells.read(offset - NvmeRegisters.DOORBELLS) : 0;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            // Narrower accesses than 32 bits are not allowed. NVMe base specification 2.0, 3.1.1.
            if (widthBytes == Long.BYTES) {
                writeWord(offset, (int) value);
                writeWord(offset + Integer.BYTES, (int) (value >>> Integer.SIZE));
            } else if (widthBytes == Integer.BYTES) {
                writeWord(offset, (int) value);
            }
        }

        private void writeWord(long offset, int value) {
            if (offset == CC.offset()) {
                configure(value);
            } else if (offset == INTMS.offset()) {
                interruptMask |= value;
            } else if (offset == INTMC.offset()) {
                interruptMask &= ~value;
            } else if (offset >= AQA.offset() && offset < ACQ.offset() + Long.BYTES) {
                registers[(int) offset / Integer.BYTES] = value;
            } else if (isDoorbell(offset)) {
                doorbells.write(offset - NvmeRegisters.DOORBELLS, value);
            }
        }

        private static boolean isDoorbell(long offset) {
            return offset >= NvmeRegisters.DOORBELLS && offset < NvmeRegisters.DOORBELLS + Doorbells.PAGE_BYTES;
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            super.close();
            queues.deleteAll();
            doorbells.close();
            store.close();
            arena.close();
        }
    }
}
