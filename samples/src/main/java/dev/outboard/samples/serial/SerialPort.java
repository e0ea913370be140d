package dev.outboard.samples.serial;

import static dev.outboard.specs.serial.Uart16550.FIFO_CHARACTERS;
import static dev.outboard.specs.serial.Uart16550.ID_MODEM_STATUS;
import static dev.outboard.specs.serial.Uart16550.IER_LINE_STATUS;
import static dev.outboard.specs.serial.Uart16550.IER_MODEM_STATUS;
import static dev.outboard.specs.serial.Uart16550.IER_RECEIVED_DATA;
import static dev.outboard.specs.serial.Uart16550.IER_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.IIR_ID;
import static dev.outboard.specs.serial.Uart16550.IIR_NONE;
import static dev.outboard.specs.serial.Uart16550.LSR_BREAK;
import static dev.outboard.specs.serial.Uart16550.LSR_DATA_READY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_EMPTY;
import static dev.outboard.specs.serial.Uart16550.LSR_TRANSMITTER_HOLDING_EMPTY;

import dev.outboard.driver.CharacterDevice;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceTimeoutException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A serial port: bytes in, bytes out. Either those who read and write look after the device themselves, again and again,
 * or it interrupts and the card's thread does; {@link #transfer} moves the bytes both times.
 *
 * <p>When nobody reads, {@value #BUFFER_BYTES} bytes wait here; then the receiver is left alone until somebody does.
 */
public final class SerialPort implements CharacterDevice {
    private static final int BUFFER_BYTES = 4096;
    private static final long POLL_NANOS = 50_000;
    private static final int MOST_CAUSES = 256;

    private final Uart uart;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final byte[] received = new byte[BUFFER_BYTES];
    private int firstReceived;
    private int receivedBytes;
    private final byte[] outgoing = new byte[BUFFER_BYTES];
    private int outgoingBytes;
    private int sentBytes;
    private boolean writing;
    private boolean interrupts;
    private long enabled;
    private long status;
    private @Nullable IOException failure;

    SerialPort(Uart uart) {
        this.uart = uart;
    }

    @Override
    public int read(MemorySegment buffer, Duration timeout) throws IOException {
        long start = System.nanoTime();
        lock.lock();
        try {
            while (receivedBytes == 0 && buffer.byteSize() > 0) {
                if (!await(start, timeout)) {
                    return 0;
                }
            }
            int bytes = (int) Math.min(receivedBytes, buffer.byteSize());
            for (int i = 0; i < bytes; i++) {
                buffer.set(ValueLayout.JAVA_BYTE, i, received[(firstReceived + i) % BUFFER_BYTES]);
            }
            firstReceived = (firstReceived + bytes) % BUFFER_BYTES;
            receivedBytes -= bytes;
            enableInterrupts();
            return bytes;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(MemorySegment data, Duration timeout) throws IOException {
        long start = System.nanoTime();
        lock.lock();
        try {
            while (writing) {
                checkTime(await(start, timeout), 0, data, timeout);
            }
            writing = true;
            try {
                for (long done = 0; done < data.byteSize(); done += outgoingBytes) {
                    // Copied here: the card's thread may not be allowed to read the caller's memory.
                    int bytes = (int) Math.min(BUFFER_BYTES, data.byteSize() - done);
                    MemorySegment.copy(data, ValueLayout.JAVA_BYTE, done, outgoing, 0, bytes);
                    outgoingBytes = bytes;
                    sentBytes = 0;
                    enableInterrupts();
                    while (sentBytes < outgoingBytes) {
                        checkTime(await(start, timeout), done + sentBytes, data, timeout);
                    }
                }
            } finally {
                writing = false;
                outgoingBytes = 0;
                sentBytes = 0;
                enableInterrupts();
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until everything is on the line that was written: before {@link #configure}, for example.
     *
     * @param timeout how long to wait at most
     * @throws DeviceTimeoutException if it takes longer
     * @throws IOException if the device fails
     */
    public void drain(Duration timeout) throws IOException {
        long start = System.nanoTime();
        lock.lock();
        try {
            checkUsable();
            while (transfer() || !LSR_TRANSMITTER_EMPTY.isSet(status)) {
                if (!sleep(start, timeout, POLL_NANOS)) {
                    throw new DeviceTimeoutException(uart + " still has bytes to send after " + timeout.toMillis()
                            + " ms: whoever is at the other end does not read, or it is stuck");
                }
            }
        } finally {
            lock.unlock();
        }
    }

    private void checkTime(boolean inTime, long bytes, MemorySegment data, Duration timeout) throws IOException {
        if (!inTime) {
            throw new DeviceTimeoutException(uart + " took " + bytes + " of " + data.byteSize() + " bytes within "
                    + timeout.toMillis() + " ms: whoever is at the other end does not read, or it is stuck");
        }
    }

    /** Waits until something may have happened; returns false when time is up. */
    private boolean await(long startNanos, Duration timeout) throws IOException {
        checkUsable();
        return (!interrupts && transfer()) || sleep(startNanos, timeout, interrupts ? Long.MAX_VALUE : POLL_NANOS);
    }

    private void checkUsable() throws IOException {
        if (failure != null) {
            throw failure;
        }
    }

    @SuppressWarnings("WaitNotInLoop") // It is in those of its callers.
    private boolean sleep(long startNanos, Duration timeout, long mostNanos) throws IOException {
        long left = timeout.toNanos() - (System.nanoTime() - startNanos);
        if (left <= 0) {
            return false;
        }
        try {
            changed.awaitNanos(Math.min(left, mostNanos));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while waiting for " + uart);
        }
    }

    /** Takes what was received, and refills the transmitter, as far as there is room; returns whether it did any. */
    private boolean transfer() throws IOException {
        boolean moved = false;
        status = uart.lineStatus();
        // No more than a FIFO has: a line that is stuck may bring breaks without end.
        for (int i = 0; i < FIFO_CHARACTERS && LSR_DATA_READY.isSet(status) && receivedBytes < BUFFER_BYTES; i++) {
            int character = uart.receive();
            // A break brings a zero that nobody sent.
            if (!LSR_BREAK.isSet(status)) {
                received[(firstReceived + receivedBytes++) % BUFFER_BYTES] = (byte) character;
                moved = true;
            }
            status = uart.lineStatus();
        }
        if (LSR_TRANSMITTER_HOLDING_EMPTY.isSet(status) && sentBytes < outgoingBytes) {
            for (int i = 0; i < FIFO_CHARACTERS && sentBytes < outgoingBytes; i++) {
                uart.transmit(outgoing[sentBytes]);
                sentBytes++;
            }
            moved = true;
        }
        if (moved) {
            changed.signalAll();
        }
        return moved;
    }

    /** From now on the card calls {@link #serve} when the device interrupts. */
    void useInterrupts() {
        lock.lock();
        try {
            interrupts = true;
            enableInterrupts();
        } finally {
            lock.unlock();
        }
    }

    /** Asks for interrupts for what can be done: not for data without room, nor for room without data. */
    private void enableInterrupts() {
        long wanted = IER_LINE_STATUS.mask() | IER_MODEM_STATUS.mask();
        wanted |= receivedBytes < BUFFER_BYTES ? IER_RECEIVED_DATA.mask() : 0;
        wanted |= sentBytes < outgoingBytes ? IER_TRANSMITTER_EMPTY.mask() : 0;
        if (interrupts && wanted != enabled) {
            enabled = wanted;
            uart.enableInterrupts(wanted);
        }
    }

    /**
     * Does what this port interrupts for, if it does. The ports of a card share its interrupt, so each is asked.
     *
     * @throws DeviceException if it interrupts without end, and without reason
     */
    void serve() throws IOException {
        lock.lock();
        try {
            int fruitless = 0;
            for (long id = uart.identification(); !IIR_NONE.isSet(id); id = uart.identification()) {
                if (IIR_ID.get(id) == ID_MODEM_STATUS) {
                    uart.modemLines();
                    changed.signalAll();
                    fruitless++;
                } else {
                    fruitless = transfer() ? 0 : fruitless + 1;
                }
                if (fruitless > MOST_CAUSES) {
                    throw new DeviceException(
                            "%s interrupts without end (IIR is 0x%02x); reset the card".formatted(uart, id));
                }
                enableInterrupts();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Tells those who wait, and those who come, that the device failed. */
    void fail(IOException reason) {
        lock.lock();
        try {
            failure = failure == null ? reason : failure;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Sets rate and format; characters that are on their way are spoiled.
     *
     * @param settings the same as at the other end
     */
    public void configure(SerialSettings settings) {
        uart.configure(settings);
    }

    /**
     * Holds the line low, which says at the other end that something is wrong.
     *
     * @param on whether it is held
     */
    public void setBreak(boolean on) {
        uart.setBreak(on);
    }

    /**
     * Says something to the other end besides characters.
     *
     * @param dataTerminalReady whether this end is there
     * @param requestToSend whether this end can receive
     */
    public void setModemControl(boolean dataTerminalReady, boolean requestToSend) {
        uart.setModemControl(dataTerminalReady, requestToSend);
    }

    /**
     * What the other end says besides characters.
     *
     * @return its lines, as they are now
     * @throws IOException if the device is gone
     */
    public ModemLines modemLines() throws IOException {
        return uart.modemLines();
    }

    /**
     * What went wrong on the line so far, as far as characters were looked at.
     *
     * @return the counters
     */
    public SerialErrors errors() {
        return uart.errors();
    }

    /** Hangs up: no interrupts, modem lines off. The card stays open. */
    @Override
    public void close() {
        lock.lock();
        try {
            interrupts = false;
            fail(new IOException(uart + " is closed"));
            uart.shutDown();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return uart.toString();
    }
}
