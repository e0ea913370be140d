package dev.outboard.emulation.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.specs.virtio.VirtioNet;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Which frames a network card receives: what the driver said by control commands. At first all of them. VIRTIO 1.2,
 * 5.1.6.5.1 to 5.1.6.5.3.
 */
final class ReceiveFilter {
    private static final ValueLayout.OfShort BIG_SHORT = JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final ValueLayout.OfInt BIG_INT = JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
    private static final long BROADCAST = 0xffff_ffff_ffffL;
    private static final int GROUP_BIT = 1;
    private static final int ETHER_TYPE = 2 * VirtioNet.MAC_BYTES;
    private static final int VLAN_TAGGED = 0x8100;
    private static final int VLAN_ID = ETHER_TYPE + Short.BYTES;
    private static final int VLAN_ID_MASK = VirtioNet.VLANS - 1;
    /** Longer tables are as good as receiving all. */
    private static final int LARGEST_TABLE = 64;

    private final BitSet modes = new BitSet();
    private final BitSet vlans = new BitSet(VirtioNet.VLANS);
    private final long[] unicasts = new long[LARGEST_TABLE];
    private final long[] multicasts = new long[LARGEST_TABLE];
    private int unicastCount;
    private int multicastCount;
    private boolean vlansFiltered;
    private long own;

    void reset(byte[] mac, boolean filterVlans) {
        own = address(MemorySegment.ofArray(mac), 0);
        modes.clear();
        modes.set(VirtioNet.RX_PROMISCUOUS);
        vlans.clear();
        vlansFiltered = filterVlans;
        unicastCount = 0;
        multicastCount = 0;
    }

    static long address(MemorySegment memory, long at) {
        return Short.toUnsignedLong(memory.get(BIG_SHORT, at)) << Integer.SIZE
                | Integer.toUnsignedLong(memory.get(BIG_INT, at + Short.BYTES));
    }

    boolean setMode(int mode, boolean on) {
        if (mode > VirtioNet.RX_NO_BROADCAST) {
            return false;
        }
        modes.set(mode, on);
        return true;
    }

    void setOwn(long mac) {
        own = mac;
    }

    boolean setVlan(int id, boolean on) {
        if (id >= VirtioNet.VLANS) {
            return false;
        }
        vlans.set(id, on);
        return true;
    }

    /** Takes a table of unicasts and one of multicasts; false if their counts do not match the length. */
    boolean setTables(MemorySegment tables, long length) {
        long first = count(tables, 0, length);
        long second = first < 0 ? -1 : count(tables, Integer.BYTES + first * VirtioNet.MAC_BYTES, length);
        if (second < 0 || 2 * Integer.BYTES + (first + second) * VirtioNet.MAC_BYTES != length) {
            return false;
        }
        unicastCount = fill(unicasts, tables, Integer.BYTES, first, VirtioNet.RX_ALL_UNICAST);
        long start = 2 * Integer.BYTES + first * VirtioNet.MAC_BYTES;
        multicastCount = fill(multicasts, tables, start, second, VirtioNet.RX_ALL_MULTICAST);
        return true;
    }

    private static long count(MemorySegment tables, long at, long length) {
        if (at > length - Integer.BYTES) {
            return -1;
        }
        long count = Integer.toUnsignedLong(tables.get(JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), at));
        return count > length / VirtioNet.MAC_BYTES ? -1 : count;
    }

    private int fill(long[] table, MemorySegment tables, long start, long count, int modeIfTooMany) {
        if (count > table.length) {
            modes.set(modeIfTooMany);
            return 0;
        }
        for (int i = 0; i < count; i++) {
            table[i] = address(tables, start + (long) i * VirtioNet.MAC_BYTES);
        }
        Arrays.sort(table, 0, (int) count);
        return (int) count;
    }

    /** Whether the card receives a frame, which has at least its addresses and its type. */
    boolean accepts(MemorySegment frame, int length) {
        return (modes.get(VirtioNet.RX_PROMISCUOUS) || acceptsAddress(frame)) && acceptsVlan(frame, length);
    }

    private boolean acceptsAddress(MemorySegment frame) {
        long destination = address(frame, 0);
        if (destination == BROADCAST) {
            return !modes.get(VirtioNet.RX_NO_BROADCAST);
        }
        if ((frame.get(JAVA_BYTE, 0) & GROUP_BIT) != 0) {
            return !modes.get(VirtioNet.RX_NO_MULTICAST)
                    && (modes.get(VirtioNet.RX_ALL_MULTICAST)
                            || Arrays.binarySearch(multicasts, 0, multicastCount, destination) >= 0);
        }
        return !modes.get(VirtioNet.RX_NO_UNICAST)
                && (destination == own
                        || modes.get(VirtioNet.RX_ALL_UNICAST)
                        || Arrays.binarySearch(unicasts, 0, unicastCount, destination) >= 0);
    }

    private boolean acceptsVlan(MemorySegment frame, int length) {
        if (!vlansFiltered
                || length < VLAN_ID + Short.BYTES
                || Short.toUnsignedInt(frame.get(BIG_SHORT, ETHER_TYPE)) != VLAN_TAGGED) {
            return true;
        }
        return vlans.get(frame.get(BIG_SHORT, VLAN_ID) & VLAN_ID_MASK);
    }
}
