package dev.outboard.samples.serial;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.pci.PciConfiguration;
import dev.outboard.specs.serial.PciSerial;
import dev.outboard.specs.serial.Uart16550;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A driver for QEMU's serial cards, and a lesson: I/O ports, which are accessed as registers are; an interrupt that several
 * ports share, so that each has to be asked; and a stream of bytes for others to read and write.
 *
 * <p>Without interrupts those who read and write poll; {@link #enableInterrupts} starts a thread that sleeps until there is
 * something to do.
 */
public final class SerialCard implements AutoCloseable {
    private static final Map<Integer, Integer> PORTS =
            Map.of(PciSerial.ONE_PORT, 1, PciSerial.TWO_PORTS, 2, PciSerial.FOUR_PORTS, 4);
    private static final long QUIET_NANOS = 100_000_000;
    private static final long MOST_SETTLING_NANOS = 1_000_000_000;
    private static final Duration LONGEST_SLEEP = Duration.ofSeconds(1);

    private final PciFunction function;
    private final List<SerialPort> ports = new ArrayList<>();
    private @Nullable Interrupt interrupt;
    private @Nullable Thread server;

    private SerialCard(PciFunction function) throws IOException {
        this.function = function;
        int vendor = (int) function.configuration().read(PciConfiguration.VENDOR_ID);
        int device = (int) function.configuration().read(PciConfiguration.DEVICE_ID);
        Integer count = PORTS.get(device);
        if (vendor != PciSerial.VENDOR_ID || count == null) {
            function.checkAnswers();
            throw new DeviceException("%s is no serial card that this driver knows: its ids are %04x:%04x"
                    .formatted(function.address(), vendor, device));
        }
        Registers registers = function.bar(0);
        long bytes = count * (long) Uart16550.BYTES;
        if (registers.sizeBytes() != bytes) {
            throw new DeviceException("%s has %d bytes in BAR 0, and its %d ports take %d: it is no card of QEMU's"
                    .formatted(function.address(), registers.sizeBytes(), count, bytes));
        }
        List<Uart> uarts = new ArrayList<>();
        for (long at = 0; at < bytes; at += Uart16550.BYTES) {
            String name = "port " + uarts.size() + " of " + function.address();
            Uart uart = new Uart(name, function, registers.slice(at, Uart16550.BYTES));
            uart.initialize();
            uarts.add(uart);
        }
        settle(uarts);
        for (Uart uart : uarts) {
            uart.selfTest();
            ports.add(new SerialPort(uart));
        }
    }

    /**
     * Waits until nothing comes any more that an earlier driver sent. QEMU's transmitter cannot even test itself while one
     * of its characters waits for a receiver, which may be the next port of the same card.
     */
    private static void settle(List<Uart> uarts) throws IOException {
        long start = System.nanoTime();
        long quietSince = start;
        for (long now = start;
                now - quietSince < QUIET_NANOS && now - start < MOST_SETTLING_NANOS;
                now = System.nanoTime()) {
            for (Uart uart : uarts) {
                quietSince = uart.discard() ? now : quietSince;
            }
        }
    }

    /**
     * Opens a card: its ports pass a self-test and are set to {@link SerialSettings#DEFAULT}.
     *
     * @param address its address, for example {@code "vfio:0000:00:08.0"} or {@code "model:serial"}
     * @return the card
     * @throws IOException if it cannot be opened, is none, or does not work
     */
    public static SerialCard open(String address) throws IOException {
        return open(Pci.open(address));
    }

    /**
     * Takes over a PCI function.
     *
     * @param function the function; it now belongs to the card, and is closed if this fails
     * @return the card
     * @throws IOException if it is no card that this driver knows, or does not work
     */
    public static SerialCard open(PciFunction function) throws IOException {
        try {
            return new SerialCard(function);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    /**
     * The ports.
     *
     * @return all of them, in order
     */
    public List<SerialPort> ports() {
        return List.copyOf(ports);
    }

    /**
     * Has the ports work by interrupt from now on, on a thread of the card.
     *
     * @throws IOException if the card cannot interrupt
     */
    public synchronized void enableInterrupts() throws IOException {
        if (server == null) {
            Interrupt line = function.enableInterrupts(1).getFirst();
            interrupt = line;
            ports.forEach(SerialPort::useInterrupts);
            server = Thread.ofPlatform().daemon().name("outboard-serial").start(() -> serve(line));
        }
    }

    /** Until the line is closed, which ends the wait with an exception, as any failure does. */
    private void serve(Interrupt line) {
        try {
            while (true) {
                if (line.await(LONGEST_SLEEP) > 0) {
                    for (SerialPort port : ports) {
                        port.serve();
                    }
                    // The line is a level: if a port wants something again by now, it fires at once.
                    line.rearm();
                }
            }
        } catch (IOException e) {
            ports.forEach(port -> port.fail(e));
        } catch (UncheckedIOException e) {
            ports.forEach(port -> port.fail(Objects.requireNonNull(e.getCause())));
        } catch (RuntimeException e) {
            IOException failure = new IOException(function.address() + " is no longer served: " + e, e);
            ports.forEach(port -> port.fail(failure));
        }
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

    /** Hangs up, ends the thread, and gives the card back. */
    @Override
    public synchronized void close() {
        try (function) {
            try {
                ports.forEach(SerialPort::close);
            } finally {
                endServer();
            }
        }
    }

    private void endServer() {
        if (interrupt != null && server != null) {
            interrupt.close();
            try {
                server.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
