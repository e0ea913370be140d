package dev.outboard.samples.idio;

import static dev.outboard.specs.idio.Idio16Registers.FILTERS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_OFF;
import static dev.outboard.specs.idio.Idio16Registers.FILTERS_ON;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.INPUTS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_CLEAR;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_DISABLE;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_ENABLE;
import static dev.outboard.specs.idio.Idio16Registers.INTERRUPT_STATUS;
import static dev.outboard.specs.idio.Idio16Registers.LINES;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_HIGH;
import static dev.outboard.specs.idio.Idio16Registers.OUTPUTS_LOW;
import static dev.outboard.specs.idio.Idio16Registers.PORT_LINES;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.GpioController;
import dev.outboard.driver.GpioEdges;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.idio.Idio16Registers;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A driver for the ACCES PCI-IDIO-16, and a lesson: registers that do something when they are read; outputs that are not to
 * be disturbed; and an interrupt that says that something changed, but not what. Lines are numbered as in Linux: 0 to 15
 * are the outputs, 16 to 31 the inputs. Safe for use by several threads.
 *
 * <p>Opening a card leaves its outputs as they are. Some access paths reset the card when it is closed, which lets them go.
 */
public final class IdioCard implements GpioController {
    /** The first input; the outputs come before. */
    public static final int FIRST_INPUT = LINES;

    private static final int LINE_COUNT = 2 * LINES;
    private static final long PORT_MASK = (1L << PORT_LINES) - 1;
    private static final long OUTPUT_MASK = (1L << LINES) - 1;
    private static final long ALL_LINES = (1L << LINE_COUNT) - 1;
    private static final long ALL_ONES = 0xff;

    private final PciFunction function;
    private final Registers registers;
    private @Nullable IdioEdges watch;

    private IdioCard(PciFunction function) throws IOException {
        this.function = function;
        long vendor = function.configuration().read(PciConfiguration.VENDOR_ID);
        long device = function.configuration().read(PciConfiguration.DEVICE_ID);
        if (vendor != Idio16Registers.VENDOR_ID || device != Idio16Registers.DEVICE_ID) {
            function.checkAnswers();
            throw new DeviceException("%s is no PCI-IDIO-16: its ids are %04x:%04x, %04x:%04x is expected"
                    .formatted(
                            function.address(), vendor, device, Idio16Registers.VENDOR_ID, Idio16Registers.DEVICE_ID));
        }
        registers = function.bar(Idio16Registers.BAR);
        if (registers.sizeBytes() < Idio16Registers.BYTES) {
            throw new DeviceException("%s has %d bytes in BAR %d, not %d: it is no PCI-IDIO-16"
                    .formatted(function.address(), registers.sizeBytes(), Idio16Registers.BAR, Idio16Registers.BYTES));
        }
        checkAnswers();
        stopInterrupting();
        setFilter(false);
    }

    /**
     * Opens a card: its interrupt and its filters are off.
     *
     * @param address its address, for example {@code "vfio:0000:00:08.0"} or {@code "model:idio16"}
     * @return the card
     * @throws IOException if it cannot be opened, or is none
     */
    public static IdioCard open(String address) throws IOException {
        return open(Pci.open(address));
    }

    /**
     * Takes over a PCI function.
     *
     * @param function the function; it now belongs to the card, and is closed if this fails
     * @return the card
     * @throws IOException if it is no such card, or gone
     */
    public static IdioCard open(PciFunction function) throws IOException {
        try {
            return new IdioCard(function);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    /** A port may well read all ones; the interrupt status of a card that is there has bits that are zero. */
    private void checkAnswers() throws DeviceGoneException {
        if (registers.read(INTERRUPT_STATUS) == ALL_ONES) {
            function.checkPresent();
            throw new DeviceGoneException(
                    function.address() + " reads all ones at " + INTERRUPT_STATUS.name()
                            + ": it is gone, or powered down",
                    null);
        }
    }

    @Override
    public int lineCount() {
        return LINE_COUNT;
    }

    @Override
    public String lineName(int line) {
        return direction(line) == Direction.OUTPUT ? "OUT" + line : "IIN" + (line - FIRST_INPUT);
    }

    @Override
    public Direction direction(int line) {
        return Objects.checkIndex(line, LINE_COUNT) < FIRST_INPUT ? Direction.OUTPUT : Direction.INPUT;
    }

    @Override
    public void setDirection(int line, Direction direction) {
        if (direction(line) != direction) {
            throw new UnsupportedOperationException(
                    lineName(line) + " of " + function.address() + " cannot be an " + direction);
        }
    }

    @Override
    public long get(long lines) throws IOException {
        checkLines(lines);
        return port(OUTPUTS_LOW, lines, 0)
                | port(OUTPUTS_HIGH, lines, PORT_LINES)
                | port(INPUTS_LOW, lines, FIRST_INPUT)
                | port(INPUTS_HIGH, lines, FIRST_INPUT + PORT_LINES);
    }

    private long port(Register port, long lines, int firstLine) throws IOException {
        long wanted = (lines >> firstLine) & PORT_MASK;
        if (wanted == 0) {
            return 0;
        }
        long levels = registers.read(port);
        if (levels == ALL_ONES) {
            checkAnswers();
        }
        return (levels & wanted) << firstLine;
    }

    @Override
    public synchronized void set(long lines, long values) throws IOException {
        checkLines(lines);
        if ((lines & ~OUTPUT_MASK) != 0) {
            throw new UnsupportedOperationException(
                    lineName(Long.numberOfTrailingZeros(lines & ~OUTPUT_MASK)) + " is an input");
        }
        setPort(OUTPUTS_LOW, lines, values, 0);
        setPort(OUTPUTS_HIGH, lines, values, PORT_LINES);
    }

    private void setPort(Register port, long lines, long values, int firstLine) throws IOException {
        long wanted = (lines >> firstLine) & PORT_MASK;
        if (wanted != 0) {
            long others = wanted == PORT_MASK ? 0 : port(port, ~wanted << firstLine, firstLine);
            registers.write(port, (others >> firstLine) | ((values >> firstLine) & wanted));
        }
    }

    private static void checkLines(long lines) {
        if ((lines & ~ALL_LINES) != 0) {
            throw new IndexOutOfBoundsException("there is no line " + Long.numberOfTrailingZeros(lines & ~ALL_LINES)
                    + "; the last one is " + (LINE_COUNT - 1));
        }
    }

    /**
     * Turns the filters of all inputs on or off. A filtered input takes a new level once it has lasted 5 ms.
     *
     * @param on whether to filter
     */
    public synchronized void setFilter(boolean on) {
        if (on) {
            registers.read(FILTERS_ON);
        } else {
            registers.write(FILTERS_OFF, 0);
        }
    }

    /**
     * Filters some of the first eight inputs, and no other.
     *
     * @param lines which lines: bits 16 to 23
     * @throws UnsupportedOperationException if there is another line among them: those are filtered together or not at all
     */
    public synchronized void setFilters(long lines) {
        if ((lines & ~(PORT_MASK << FIRST_INPUT)) != 0) {
            throw new UnsupportedOperationException("only IIN0 to IIN7 have filters of their own, not 0x"
                    + Long.toHexString(lines) + "; filter all inputs or none");
        }
        registers.write(FILTERS_OFF, 0);
        registers.write(FILTERS_LOW, lines >> FIRST_INPUT);
    }

    /**
     * Watches inputs by interrupt. The card says only that one changed, so the driver compares: changes that are undone
     * before it looks are not seen.
     */
    @Override
    public synchronized GpioEdges watch(long lines) throws IOException {
        checkLines(lines);
        if ((lines & OUTPUT_MASK) != 0) {
            throw new UnsupportedOperationException(lineName(Long.numberOfTrailingZeros(lines)) + " is an output");
        }
        if (watch != null) {
            throw new IllegalStateException(function.address() + " is being watched; close that watch first");
        }
        Interrupt interrupt = function.enableInterrupts(1).getFirst();
        registers.write(INTERRUPT_CLEAR, 0);
        registers.read(INTERRUPT_ENABLE);
        // What changes from here on interrupts, so what is read now is no later than that.
        IdioEdges started = new IdioEdges(this, interrupt, lines, get(lines));
        watch = started;
        return started;
    }

    /** The request is taken back before the inputs are read: what changes later makes another one. */
    long inputsAfterInterrupt(long lines) throws IOException {
        registers.write(INTERRUPT_CLEAR, 0);
        return get(lines);
    }

    synchronized void unwatch(IdioEdges ended) {
        if (watch == ended) {
            watch = null;
            stopInterrupting();
        }
    }

    private void stopInterrupting() {
        registers.write(INTERRUPT_DISABLE, 0);
        registers.write(INTERRUPT_CLEAR, 0);
    }

    /**
     * How the card is reached.
     *
     * @return its address
     */
    public DeviceAddress address() {
        return function.address();
    }

    /**
     * Finds out whether the card is still there; cheap.
     *
     * @throws DeviceGoneException if it is not
     */
    public void checkPresent() throws DeviceGoneException {
        function.checkPresent();
    }

    /** Ends the watch, and gives the card back. */
    @Override
    public void close() {
        IdioEdges last;
        synchronized (this) {
            last = watch;
        }
        try (function) {
            if (last != null) {
                last.close();
            }
        }
    }
}
