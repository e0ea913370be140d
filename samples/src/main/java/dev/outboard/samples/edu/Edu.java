package dev.outboard.samples.edu;

import static dev.outboard.specs.edu.EduRegisters.FACTORIAL;
import static dev.outboard.specs.edu.EduRegisters.IDENTIFICATION;
import static dev.outboard.specs.edu.EduRegisters.IDENTIFICATION_MARK;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_ACKNOWLEDGE;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_FACTORIAL;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_STATUS;
import static dev.outboard.specs.edu.EduRegisters.LIVENESS;
import static dev.outboard.specs.edu.EduRegisters.STATUS;
import static dev.outboard.specs.edu.EduRegisters.STATUS_COMPUTING;
import static dev.outboard.specs.edu.EduRegisters.STATUS_INTERRUPT;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.DeviceTimeoutException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.edu.EduRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;

/**
 * A driver for QEMU's device for teaching, and a lesson: how a driver finds out whether its device is the right one and
 * alive, asks it for something, and waits for the answer by polling or by interrupt. How it has the device move memory
 * is in {@link EduBuffer}.
 *
 * <p>One thread at a time.
 */
public final class Edu implements AutoCloseable {
    /** The largest number whose factorial fits the device's 32 bits. */
    public static final int LARGEST_NUMBER = 12;

    /** What a PCI bus returns for a device that is gone. */
    private static final long ALL_ONES = 0xffff_ffffL;

    private static final int PATTERN = 0x0b0a2d5a;

    private final PciFunction function;
    private final Registers registers;
    private final Interrupt interrupt;
    private final Duration timeout;
    private final EduBuffer buffer;

    private Edu(PciFunction function, Duration timeout) throws IOException {
        this.function = function;
        this.timeout = timeout;
        registers = function.bar(0);
        identify();
        checkAlive();
        function.setBusMaster(true);
        // What another driver left pending would come as an answer to us.
        registers.write(STATUS, 0);
        registers.write(INTERRUPT_ACKNOWLEDGE, -1);
        interrupt = function.enableInterrupts(1).getFirst();
        buffer = new EduBuffer(this, function.dma(), registers);
    }

    /**
     * Opens a device.
     *
     * @param address its address, for example {@code "vfio:0000:00:06.0"} or {@code "model:edu"}
     * @return the device, which was found alive
     * @throws IOException if it cannot be opened, or is none
     */
    public static Edu open(String address) throws IOException {
        return open(Pci.open(address));
    }

    /**
     * Takes over a PCI function. The device may take two seconds for anything.
     *
     * @param function the function; it now belongs to the driver, and is closed if this fails
     * @return the device, which was found alive
     * @throws IOException if it is no such device, or dead
     */
    public static Edu open(PciFunction function) throws IOException {
        return open(function, Duration.ofSeconds(2));
    }

    /**
     * Takes over a PCI function.
     *
     * @param function the function; it now belongs to the driver, and is closed if this fails
     * @param timeout how long the device may take for anything
     * @return the device, which was found alive
     * @throws IOException if it is no such device, or dead
     */
    public static Edu open(PciFunction function, Duration timeout) throws IOException {
        try {
            return new Edu(function, timeout);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    private void identify() throws IOException {
        long vendor = function.configuration().read(PciConfiguration.VENDOR_ID);
        long device = function.configuration().read(PciConfiguration.DEVICE_ID);
        boolean fits = registers.sizeBytes() >= EduRegisters.BAR_BYTES;
        if (vendor != EduRegisters.VENDOR_ID
                || device != EduRegisters.DEVICE_ID
                || !fits
                || IDENTIFICATION_MARK.get(read(IDENTIFICATION)) != IDENTIFICATION_MARK.valueOf("EDU")) {
            function.checkAnswers();
            throw new DeviceException("%s is no edu device: its ids are %04x:%04x, %04x:%04x is expected"
                    .formatted(function.address(), vendor, device, EduRegisters.VENDOR_ID, EduRegisters.DEVICE_ID));
        }
    }

    /** Reads a register that never holds all ones while the device is there. */
    long read(Register register) throws IOException {
        long value = registers.read(register);
        if ((value & ALL_ONES) == ALL_ONES) {
            function.checkPresent();
            throw new DeviceGoneException(
                    function.address() + " reads all ones at " + register.name() + ": it is gone, or powered down",
                    null);
        }
        return value;
    }

    /**
     * Checks that the device answers: it turns around every bit of a number.
     *
     * @throws DeviceException if it does not
     * @throws IOException if the device is gone
     */
    public void checkAlive() throws IOException {
        registers.write(LIVENESS, PATTERN);
        int answer = (int) read(LIVENESS);
        if (answer != ~PATTERN) {
            throw new DeviceException("%s answers %08x to %08x, not its inverse: it is stuck; reset it"
                    .formatted(function.address(), answer, PATTERN));
        }
    }

    /**
     * Has the device compute a factorial, and looks again and again until it has: the least latency, at the price of a
     * processor.
     *
     * @param number from 0 to {@link #LARGEST_NUMBER}
     * @return its factorial
     * @throws IOException if the device does not answer in time
     */
    public long factorial(int number) throws IOException {
        registers.write(STATUS, 0);
        start(number);
        registers.pollUntil(STATUS, status -> !STATUS_COMPUTING.isSet(status) || status == ALL_ONES, timeout);
        return read(FACTORIAL);
    }

    /**
     * Has the device compute a factorial, and sleeps until it interrupts.
     *
     * @param number from 0 to {@link #LARGEST_NUMBER}
     * @return its factorial
     * @throws IOException if the device does not answer in time
     */
    public long factorialByInterrupt(int number) throws IOException {
        registers.write(STATUS, STATUS_INTERRUPT.mask());
        start(number);
        awaitInterrupt(INTERRUPT_FACTORIAL, "the factorial of " + number);
        return read(FACTORIAL);
    }

    private void start(int number) {
        Objects.checkIndex(number, LARGEST_NUMBER + 1);
        registers.write(FACTORIAL, number);
    }

    /** Sleeps until the device interrupts for this cause; others are acknowledged too, and mean nothing here. */
    void awaitInterrupt(Field cause, String what) throws IOException {
        long start = System.nanoTime();
        long causes;
        do {
            long left = timeout.toNanos() - (System.nanoTime() - start);
            if (left <= 0 || interrupt.await(Duration.ofNanos(left)) == 0) {
                throw new DeviceTimeoutException(function.address() + " did not interrupt for " + what + " within "
                        + timeout.toMillis() + " ms; reset it");
            }
            causes = read(INTERRUPT_STATUS);
            // First the device takes its request back, then the kernel lets the next one through.
            registers.write(INTERRUPT_ACKNOWLEDGE, causes);
            interrupt.rearm();
        } while (!cause.isSet(causes));
    }

    /**
     * The device's own memory, and its DMA.
     *
     * @return the buffer
     */
    public EduBuffer buffer() {
        return buffer;
    }

    /**
     * The device's version.
     *
     * @return for example {@code "1.0"}
     * @throws IOException if the device is gone
     */
    public String version() throws IOException {
        long identification = read(IDENTIFICATION);
        return EduRegisters.IDENTIFICATION_MAJOR.get(identification)
                + "."
                + EduRegisters.IDENTIFICATION_MINOR.get(identification);
    }

    /**
     * How the device is reached.
     *
     * @return its address
     */
    public DeviceAddress address() {
        return function.address();
    }

    /**
     * Finds out whether the device is still there; cheap.
     *
     * @throws DeviceGoneException if it is not
     */
    public void checkPresent() throws DeviceGoneException {
        function.checkPresent();
    }

    /** Stops the device's DMA and interrupts, and gives it back. */
    @Override
    public void close() {
        function.close();
    }
}
