package dev.outboard.pci.qemu;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.specs.ivshmem.IvshmemProtocol;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * How messages of a device become events here: they are aimed at the doorbell of an ivshmem device, which signals an eventfd
 * of its peer, and the peer are we. So a message is an event at once, without a thread that looks at memory. QEMU,
 * docs/specs/ivshmem-spec.rst.
 */
final class MessageVectors implements AutoCloseable {
    /** How many there are; a doorbell could tell 256 apart. */
    static final int COUNT = 128;

    /** MSI has 16 bits of data, the doorbell the peer in the 16 above. */
    private static final long OUR_ID = 0;

    private static final long DEVICE_ID = 1;
    private static final long PAGE_BYTES = 4096;

    private final List<EventFd> events = new ArrayList<>();

    MessageVectors() throws LinuxException {
        try {
            for (int i = 0; i < COUNT; i++) {
                events.add(EventFd.create());
            }
        } catch (LinuxException e) {
            close();
            throw e;
        }
    }

    EventFd event(int vector) {
        return events.get(vector);
    }

    /** Plays the server that an ivshmem device expects: tells it who it is, who we are, and which memory it shares. */
    void introduce(UnixSocket device) throws IOException {
        send(device, IvshmemProtocol.VERSION, List.of());
        send(device, DEVICE_ID, List.of());
        for (EventFd event : events) {
            send(device, OUR_ID, List.of(event.fd()));
        }
        // Nobody uses it, but the device will not come up without.
        try (Fd memory = Fd.memfd("outboard-ivshmem", PAGE_BYTES)) {
            send(device, IvshmemProtocol.SHARED_MEMORY, List.of(memory));
        }
    }

    private static void send(UnixSocket device, long message, List<Fd> descriptors) throws LinuxException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(ValueLayout.JAVA_LONG, message);
            device.send(bytes, descriptors);
        }
    }

    /** Wakes whoever waits. */
    void wakeAll() {
        for (EventFd event : events) {
            try {
                event.signal();
            } catch (LinuxException closed) {
                // Then nobody waits.
            }
        }
    }

    @Override
    public void close() {
        events.forEach(EventFd::close);
    }
}
