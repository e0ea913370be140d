package dev.outboard.rig;

import dev.outboard.emulation.virtio.NetworkLink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** A host at the other end of a cable, with the address 10.0.0.2: answers ARP (RFC 826) and pings (RFC 792). */
final class NetworkPeer implements AutoCloseable {
    private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final int ADDRESS = 0x0a00_0002;
    private static final byte[] MAC = {2, 0, 0, 0, 0, 2};
    private static final int LONGEST_FRAME = 1600;
    private static final int SHORTEST_FRAME = 42;
    private static final int ETHERNET_TYPE = 12;
    private static final short ARP = 0x0806;
    private static final short IPV4 = 0x0800;
    private static final int ARP_OPERATION = 20;
    private static final int ARP_SENDER = 22;
    private static final int ARP_SENDER_ADDRESS = 28;
    private static final int ARP_TARGET = 32;
    private static final int ARP_TARGET_ADDRESS = 38;
    private static final int IP_PROTOCOL = 23;
    private static final int ICMP = 1;
    private static final int IP_SOURCE = 26;
    private static final int IP_TARGET = 30;
    private static final int ICMP_TYPE = 34;
    private static final int ICMP_CHECKSUM = 36;
    private static final int ECHO_REQUEST = 8;
    private static final long PAUSE_NANOS = 200_000;

    private final NetworkLink link;
    private final MemorySegment frame = Arena.ofAuto().allocate(LONGEST_FRAME);
    private final Thread thread;
    private final AtomicInteger answers = new AtomicInteger();
    private volatile boolean closed;

    private NetworkPeer(NetworkLink link) {
        this.link = link;
        thread = Thread.ofPlatform().daemon().name("network-peer").start(this::run);
    }

    static NetworkPeer at(NetworkLink link) {
        return new NetworkPeer(link);
    }

    private void run() {
        try {
            while (!closed) {
                int length = link.receive(frame);
                if (length >= SHORTEST_FRAME) {
                    answer(length);
                } else if (length == 0) {
                    LockSupport.parkNanos(PAUSE_NANOS);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void answer(int length) throws IOException {
        short type = frame.get(U16, ETHERNET_TYPE);
        if (type == ARP && frame.get(U32, ARP_TARGET_ADDRESS) == ADDRESS) {
            frame.set(U16, ARP_OPERATION, (short) 2);
            MemorySegment.copy(frame, ARP_SENDER, frame, ARP_TARGET, ARP_TARGET - ARP_SENDER);
            MemorySegment.copy(MAC, 0, frame, ValueLayout.JAVA_BYTE, ARP_SENDER, MAC.length);
            frame.set(U32, ARP_SENDER_ADDRESS, ADDRESS);
            send(length);
        } else if (type == IPV4
                && frame.get(ValueLayout.JAVA_BYTE, IP_PROTOCOL) == ICMP
                && frame.get(ValueLayout.JAVA_BYTE, ICMP_TYPE) == ECHO_REQUEST
                && frame.get(U32, IP_TARGET) == ADDRESS) {
            frame.set(U32, IP_TARGET, frame.get(U32, IP_SOURCE));
            frame.set(U32, IP_SOURCE, ADDRESS);
            frame.set(ValueLayout.JAVA_BYTE, ICMP_TYPE, (byte) 0);
            // The sum of ones' complement loses what the type lost: RFC 1624.
            int sum = Short.toUnsignedInt(frame.get(U16, ICMP_CHECKSUM)) + (ECHO_REQUEST << Byte.SIZE);
            frame.set(U16, ICMP_CHECKSUM, (short) (sum + (sum >>> Short.SIZE)));
            send(length);
            answers.incrementAndGet();
        }
    }

    /** How many pings were answered. */
    int answers() {
        return answers.get();
    }

    private void send(int length) throws IOException {
        MemorySegment.copy(frame, MAC.length, frame, 0, MAC.length);
        MemorySegment.copy(MAC, 0, frame, ValueLayout.JAVA_BYTE, MAC.length, MAC.length);
        link.send(frame, 0, length);
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        link.close();
    }
}
