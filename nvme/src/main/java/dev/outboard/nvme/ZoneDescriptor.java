package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Zone;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A zone as the controller reports it. Zoned namespace command set specification 1.1, 3.4.2.2.
 *
 * @param firstBlock where it starts
 * @param capacityBlocks how many of its blocks can be written
 * @param writePointer the block that the next write has to start at; -1 if the zone takes none
 * @param state its state
 * @param attributes the attributes' bits, such as {@link Zone#ATTRIBUTE_EXTENSION_VALID}
 */
public record ZoneDescriptor(long firstBlock, long capacityBlocks, long writePointer, ZoneState state, int attributes) {
    /**
     * Reads a report.
     *
     * @param namespace whose zones
     * @param report what {@link ZoneCommand#report} filled
     * @return the zones that it holds, by rising block
     * @throws DeviceException if it makes no sense
     */
    public static List<ZoneDescriptor> listOf(NvmeNamespace namespace, MemorySegment report) throws DeviceException {
        long size = Zone.DESCRIPTOR.byteSize();
        long room = (report.byteSize() - Zone.REPORT_HEAD_BYTES) / size;
        long count = report.get(ValueLayout.JAVA_LONG, 0);
        if (count < 0 || count > room) {
            throw new DeviceException("a report of zones of " + namespace + " has " + Long.toUnsignedString(count)
                    + " of them in room for " + room);
        }
        List<ZoneDescriptor> zones = new ArrayList<>();
        long last = -1;
        for (long i = 0; i < count; i++) {
            ZoneDescriptor zone = of(namespace, report.asSlice(Zone.REPORT_HEAD_BYTES + i * size, size));
            if (zone.firstBlock <= last) {
                throw new DeviceException("a report of " + namespace + " has the zone at block " + zone.firstBlock
                        + " after that at " + last);
            }
            last = zone.firstBlock;
            zones.add(zone);
        }
        return List.copyOf(zones);
    }

    private static ZoneDescriptor of(NvmeNamespace namespace, MemorySegment data) throws DeviceException {
        ZoneInformation zones = namespace.requireZones();
        StructView view = Zone.DESCRIPTOR.view(data);
        long first = view.get("zslba");
        long capacity = view.get("zcap");
        long pointer = view.get("wp");
        ZoneState state = ZoneState.of((int) Zone.STATE.get(view.get("zs")));
        boolean isThere = first >= 0 && first % zones.zoneBlocks() == 0 && first / zones.zoneBlocks() < zones.count();
        if (!isThere || state == null || capacity < 0 || capacity > zones.zoneBlocks()) {
            throw new DeviceException(
                    "a report of " + namespace + " has a zone at block " + Long.toUnsignedString(first) + " with "
                            + Long.toUnsignedString(capacity) + " blocks in state " + state + ", which cannot be");
        }
        if (state.hasWritePointer() && (pointer < first || pointer > first + capacity)) {
            throw new DeviceException("a report of " + namespace + " has a zone at block " + first + " whose next write"
                    + " goes to block " + Long.toUnsignedString(pointer) + ", which is outside of it");
        }
        return new ZoneDescriptor(first, capacity, state.hasWritePointer() ? pointer : -1, state, view.getInt("za"));
    }
}
