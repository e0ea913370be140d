package dev.outboard.emulation.idio;

import static dev.outboard.specs.idio.Idio16Registers.BAR;
import static dev.outboard.specs.idio.Idio16Registers.BYTES;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_ON;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_ENABLE;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_STATUS;
import static dev.outboard.specs.idio.Idio16Registers.LINES;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.PORT_LINES;
import static dev.outboard.specs.idio.Idio16Registers.STATUS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.STATUS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.STATUS_PENDING;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.idio.Idio16Registers;
import java.io.IOException;

/**
 * ACCES PCI-IDIO-16: 16 inputs, 16 outputs, an interrupt when an input changes, filters. The card's manual, chapter 4, and
 * what Linux's gpio-pci-idio-16 expects. Class and subsystem ids are a guess: neither says them.
 */
public final class Idio16Model extends PciModel {
    private static final int CLASS_DATA_ACQUISITION = 0x118000;
    private static final int PORT_MASK = (1 << PORT_LINES) - 1;
    private static final int ALL_LINES = (1 << LINES) - 1;

    private final Idio16Options options;
    private final Terminals terminals;
    private final InputFilter filter = new InputFilter();
    private int outputs;
    private boolean interruptEnabled;
    private int changedPorts;

    /**
     * A card that was just reset.
     *
     * @param options what it shall be
     * @throws IOException if the terminals' file cannot be mapped
     */
    public Idio16Model(Idio16Options options) throws IOException {
        super(
                new Identity(
                        Idio16Registers.VENDOR_ID,
                        Idio16Registers.DEVICE_ID,
                        CLASS_DATA_ACQUISITION,
                        0,
                        Idio16Registers.VENDOR_ID,
                        Idio16Registers.DEVICE_ID),
                true,
                0);
        this.options = options;
        terminals = Terminals.in(options.terminals());
        addBar(Bar.ports(BAR, BYTES, new Ports()));
        resetFunction();
    }

    /**
     * Energizes inputs. From any thread; the card takes notice within milliseconds.
     *
     * @param levels a bit an input
     */
    public void setInputs(int levels) {
        terminals.setInputs(levels);
    }

    /**
     * What the outputs drive. From any thread.
     *
     * @return a bit an output
     */
    public int outputs() {
        return terminals.outputs();
    }

    @Override
    protected void resetFunction() {
        filter.turnOn(0);
        interruptEnabled = false;
        changedPorts = 0;
        drive(0);
        sense();
        interrupts().assertIntx(false);
    }

    /** The world changes inputs without telling. */
    @Override
    public boolean polls() {
        return interruptEnabled || filter.isSettling();
    }

    @Override
    public int doWork() {
        return sense();
    }

    private void drive(int levels) {
        outputs = levels;
        terminals.setOutputs(levels);
    }

    private int sense() {
        int world = terminals.inputs();
        int levels = options.wiring() == Idio16Options.Wiring.LOOPBACK ? world | outputs : world;
        int changed = filter.sense(levels, System.nanoTime());
        if (interruptEnabled && changed != 0) {
            changedPorts |= (int) (STATUS_LOW.of((changed & PORT_MASK) == 0 ? 0 : 1)
                    | STATUS_HIGH.of(changed >> PORT_LINES == 0 ? 0 : 1));
            interrupts().assertIntx(true);
        }
        return changed == 0 ? 0 : 1;
    }

    private void clearInterrupt() {
        changedPorts = 0;
        interrupts().assertIntx(false);
    }

    @Override
    public void close() {
        super.close();
        terminals.close();
    }

    /** Accesses wider than a byte are made byte by byte, as a bus does for such a card. */
    private final class Ports implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            long value = 0;
            for (int i = 0; i < widthBytes; i++) {
                value |= (long) read(offset + i) << (i * Byte.SIZE);
            }
            return value;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            for (int i = 0; i < widthBytes; i++) {
                write(offset + i, (int) (value >>> (i * Byte.SIZE)) & 0xff);
            }
        }

        private int read(long port) {
            sense();
            if (port == OUTPUTS_LOW.offset()) {
                return outputs & PORT_MASK;
            } else if (port == OUTPUTS_HIGH.offset()) {
                return outputs >> PORT_LINES;
            } else if (port == INPUTS_LOW.offset()) {
                return filter.passed() & PORT_MASK;
            } else if (port == INPUTS_HIGH.offset()) {
                return filter.passed() >> PORT_LINES;
            } else if (port == INTERRUPT_STATUS.offset()) {
                return changedPorts == 0 ? 0 : changedPorts | (int) STATUS_PENDING.mask();
            } else if (port == FILTERS_LOW.offset()) {
                return filter.on() & PORT_MASK;
            } else if (port == INTERRUPT_ENABLE.offset()) {
                interruptEnabled = true;
            } else if (port == FILTERS_ON.offset()) {
                filter.turnOn(ALL_LINES);
            }
            return 0;
        }

        private void write(long port, int value) {
            if (port == OUTPUTS_LOW.offset()) {
                drive((outputs & ~PORT_MASK) | value);
            } else if (port == OUTPUTS_HIGH.offset()) {
                drive((outputs & PORT_MASK) | (value << PORT_LINES));
            } else if (port == Idio16Registers.INTERRUPT_CLEAR.offset()) {
                clearInterrupt();
            } else if (port == Idio16Registers.INTERRUPT_DISABLE.offset()) {
                interruptEnabled = false;
                interrupts().assertIntx(false);
            } else if (port == Idio16Registers.FILTERS_OFF.offset()) {
                filter.turnOn(0);
            } else if (port == FILTERS_LOW.offset() && filter.on() >> PORT_LINES == 0) {
                filter.turnOn(value);
            }
            sense();
        }
    }
}
