package dev.outboard.virtio.vhost;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.StructView;
import dev.outboard.memory.DmaMapper;
import dev.outboard.specs.vhostuser.Request;
import dev.outboard.specs.vhostuser.VhostUser;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.TreeMap;

/**
 * Memory that a driver shares with a back end: by the region if it can take that, else as a table of all. Guest and user
 * addresses are the same, the device address.
 */
final class SharedMemory implements DmaMapper, AutoCloseable {
    private record Region(Fd file, long sizeBytes) {}

    private final VhostUserConnection connection;
    private final boolean byRegion;
    private final TreeMap<Long, Region> regions = new TreeMap<>();

    SharedMemory(VhostUserConnection connection, boolean byRegion) {
        this.connection = connection;
        this.byRegion = byRegion;
    }

    @Override
    public void map(Fd file, MemorySegment segment, long deviceAddress) throws IOException {
        if (!byRegion && regions.size() == VhostUser.MAXIMUM_TABLE_REGIONS) {
            throw new DeviceException("the back end takes " + VhostUser.MAXIMUM_TABLE_REGIONS
                    + " memory regions, and has them; allocate fewer and larger pieces of DMA memory");
        }
        Region added = new Region(file.duplicate(), segment.byteSize());
        regions.put(deviceAddress, added);
        try {
            if (byRegion) {
                connection.tell(Request.ADD_MEM_REG, single(deviceAddress, added), List.of(file));
            } else {
                sendTable();
            }
        } catch (IOException e) {
            regions.remove(deviceAddress);
            added.file.close();
            throw e;
        }
    }

    @Override
    public void unmap(long deviceAddress, long sizeBytes) {
        Region removed = regions.remove(deviceAddress);
        if (removed == null) {
            return;
        }
        removed.file.close();
        try {
            if (byRegion) {
                connection.tell(Request.REM_MEM_REG, single(deviceAddress, removed), List.of());
            } else if (!regions.isEmpty()) {
                sendTable();
            }
        } catch (IOException e) {
            // Memory that the back end still uses must never serve another: end the connection.
            connection.close();
        }
    }

    private void sendTable() throws IOException {
        long tableBytes = VhostUser.MEMORY_TABLE.byteSize();
        long regionBytes = VhostUser.MEMORY_REGION.byteSize();
        MemorySegment table = MemorySegment.ofArray(new byte[(int) (tableBytes + regions.size() * regionBytes)]);
        VhostUser.MEMORY_TABLE.view(table).set("num_regions", regions.size());
        long at = tableBytes;
        for (var region : regions.entrySet()) {
            fill(VhostUser.MEMORY_REGION.view(table.asSlice(at, regionBytes)), region.getKey(), region.getValue());
            at += regionBytes;
        }
        connection.tell(
                Request.SET_MEM_TABLE,
                table.toArray(ValueLayout.JAVA_BYTE),
                regions.values().stream().map(Region::file).toList());
    }

    private static byte[] single(long deviceAddress, Region region) {
        StructView view = VhostUser.SINGLE_MEMORY_REGION.view(
                MemorySegment.ofArray(new byte[(int) VhostUser.SINGLE_MEMORY_REGION.byteSize()]));
        fill(view, deviceAddress, region);
        return view.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    private static void fill(StructView view, long deviceAddress, Region region) {
        view.set("guest_address", deviceAddress)
                .set("user_address", deviceAddress)
                .set("size", region.sizeBytes);
    }

    @Override
    public void close() {
        regions.values().forEach(region -> region.file.close());
        regions.clear();
    }
}
