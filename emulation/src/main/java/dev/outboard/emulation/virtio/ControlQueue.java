package dev.outboard.emulation.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.specs.virtio.VirtioNet;
import dev.outboard.virtio.DescriptorChain;
import dev.outboard.virtio.DeviceQueue;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** The queue by which a driver tells a network card what it wants. VIRTIO 1.2, 5.1.6.5. */
final class ControlQueue {
    private static final ValueLayout.OfShort SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int LONGEST_COMMAND = 64 << 10;

    private final ReceiveFilter filter;
    private final int maximumPairs;
    private final MemorySegment command;
    private final MemorySegment ack;
    private @Nullable DeviceQueue queue;
    private @Nullable DescriptorChain chain;
    private byte @Nullable [] mac;
    private int pairs = 1;

    ControlQueue(ReceiveFilter filter, int maximumPairs, Arena arena) {
        this.filter = filter;
        this.maximumPairs = maximumPairs;
        command = arena.allocate(LONGEST_COMMAND, Long.BYTES);
        ack = arena.allocate(VirtioNet.ACK_BYTES);
    }

    void start(DeviceQueue used) {
        queue = used;
        chain = new DescriptorChain(used.memory());
        mac = null;
        pairs = 1;
    }

    int pairs() {
        return pairs;
    }

    /** A byte of the address that the driver has set, or of the one before. */
    long macByte(int index, long before) {
        byte[] set = mac;
        return set == null ? before : set[index];
    }

    int doWork() {
        DeviceQueue used = queue;
        DescriptorChain taken = chain;
        if (used == null || taken == null || !used.take(taken)) {
            return 0;
        }
        long length = taken.readableBytes();
        boolean done = length >= VirtioNet.COMMAND_BYTES
                && length <= LONGEST_COMMAND
                && taken.read(0, command, 0, length)
                && execute(length - VirtioNet.COMMAND_BYTES);
        ack.set(JAVA_BYTE, 0, (byte) (done ? VirtioNet.ACK_OK : VirtioNet.ACK_ERROR));
        if (!taken.write(0, ack, 0, VirtioNet.ACK_BYTES)) {
            used.fail("a command without room for its acknowledgement");
            return 1;
        }
        used.complete(taken, VirtioNet.ACK_BYTES);
        used.publish();
        return 1;
    }

    private boolean execute(long length) {
        int number = command.get(JAVA_BYTE, 1);
        MemorySegment data = command.asSlice(VirtioNet.COMMAND_BYTES, length);
        return switch (command.get(JAVA_BYTE, 0)) {
            case VirtioNet.CLASS_RX ->
                length == 1 && number >= 0 && filter.setMode(number, data.get(JAVA_BYTE, 0) != 0);
            case VirtioNet.CLASS_MAC -> setAddresses(number, data);
            case VirtioNet.CLASS_VLAN ->
                length == Short.BYTES
                        && (number == VirtioNet.VLAN_ADD || number == VirtioNet.VLAN_DELETE)
                        && filter.setVlan(Short.toUnsignedInt(data.get(SHORT, 0)), number == VirtioNet.VLAN_ADD);
            case VirtioNet.CLASS_MQ -> number == VirtioNet.MQ_PAIRS_SET && length == Short.BYTES && setPairs(data);
            default -> false;
        };
    }

    private boolean setAddresses(int number, MemorySegment data) {
        if (number == VirtioNet.MAC_TABLE_SET) {
            return filter.setTables(data, data.byteSize());
        }
        if (number != VirtioNet.MAC_ADDRESS_SET || data.byteSize() != VirtioNet.MAC_BYTES) {
            return false;
        }
        mac = data.toArray(JAVA_BYTE);
        filter.setOwn(ReceiveFilter.address(data, 0));
        return true;
    }

    private boolean setPairs(MemorySegment data) {
        int wanted = Short.toUnsignedInt(data.get(SHORT, 0));
        if (wanted < 1 || wanted > maximumPairs) {
            return false;
        }
        pairs = wanted;
        return true;
    }
}
