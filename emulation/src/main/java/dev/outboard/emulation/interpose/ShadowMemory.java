package dev.outboard.emulation.interpose;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaMemory;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * DMA memory twice: the driver has one copy, the device the other. What one side stored is found by comparing its copy
 * with what it was when both were last brought together, and passed on to the other by whoever decides what passes.
 */
final class ShadowMemory implements AutoCloseable {
    private static final long PAGE_BYTES = 4096;
    /** A device that stores without end must not keep the driver from going on. */
    private static final int MOST_PASSES = 64;

    /** One side's copy, and what it held when it was last looked at. */
    private record Copy(MemorySegment now, MemorySegment known) {}

    private record Shadow(long deviceAddress, Copy driver, Copy device) {}

    private final Arena arena = Arena.ofShared();
    private final NavigableMap<Long, Shadow> shadows = new TreeMap<>(Long::compareUnsigned);

    /** The driver's copy of memory that the device reaches. Closing it closes the device's. */
    DmaMemory add(DmaMemory memory) {
        long size = memory.sizeBytes();
        MemorySegment driver = arena.allocate(size, PAGE_BYTES);
        Shadow shadow = new Shadow(
                memory.deviceAddress(),
                new Copy(driver, arena.allocate(size, PAGE_BYTES)),
                new Copy(memory.segment(), arena.allocate(size, PAGE_BYTES)));
        shadows.put(memory.deviceAddress(), shadow);
        return new DmaMemory(driver, memory.deviceAddress(), memory::close);
    }

    /** What the driver has stored since the last time. */
    List<DmaStore> driverStores() {
        List<DmaStore> stores = new ArrayList<>();
        shadows.values().forEach(shadow -> collect(shadow.deviceAddress, shadow.driver, stores));
        return stores;
    }

    /**
     * What the device has stored since the last time. Whatever it stored before something that is in the list is in the
     * list too: it is looked for until nothing more is found.
     */
    List<DmaStore> deviceStores() {
        List<DmaStore> stores = new ArrayList<>();
        int before = -1;
        for (int pass = 0; stores.size() != before && pass < MOST_PASSES; pass++) {
            before = stores.size();
            shadows.values().forEach(shadow -> collect(shadow.deviceAddress, shadow.device, stores));
        }
        return stores;
    }

    private static void collect(long address, Copy copy, List<DmaStore> stores) {
        long size = copy.now.byteSize();
        for (long at = 0; at < size; ) {
            long mismatch = MemorySegment.mismatch(copy.now, at, size, copy.known, at, size);
            if (mismatch < 0) {
                return;
            }
            long start = (at + mismatch) & -DmaStore.WORD_BYTES;
            long end = start + DmaStore.WORD_BYTES;
            while (end < size && copy.now.get(JAVA_INT, end) != copy.known.get(JAVA_INT, end)) {
                end += DmaStore.WORD_BYTES;
            }
            // Once: the other side may go on storing.
            byte[] bytes = copy.now.asSlice(start, end - start).toArray(JAVA_BYTE);
            MemorySegment.copy(bytes, 0, copy.known, JAVA_BYTE, start, bytes.length);
            stores.add(new DmaStore(address + start, bytes));
            at = end;
        }
    }

    /** Has the device find these. */
    void storeToDevice(List<DmaStore> stores) {
        stores.forEach(store -> store(store, of(store).device));
    }

    /** Has the driver find these. */
    void storeToDriver(List<DmaStore> stores) {
        stores.forEach(store -> store(store, of(store).driver));
    }

    /**
     * What the device stored and the driver did not find, or found otherwise, was never stored so: there is but one memory.
     * Else the device could store it again, and nobody would see a difference.
     */
    void settle(List<DmaStore> stores) {
        for (DmaStore store : stores) {
            Shadow shadow = of(store);
            MemorySegment found = shadow.driver.known;
            long start = store.deviceAddress() - shadow.deviceAddress;
            for (long at = start; at < start + store.bytes().length; at += DmaStore.WORD_BYTES) {
                int stored = shadow.device.known.get(JAVA_INT, at);
                // Unless the device has stored there again meanwhile.
                if (stored != found.get(JAVA_INT, at) && stored == shadow.device.now.get(JAVA_INT, at)) {
                    shadow.device.known.set(JAVA_INT, at, found.get(JAVA_INT, at));
                    shadow.device.now.set(JAVA_INT, at, found.get(JAVA_INT, at));
                }
            }
        }
    }

    private void store(DmaStore store, Copy copy) {
        long offset = store.deviceAddress() - of(store).deviceAddress;
        MemorySegment.copy(store.bytes(), 0, copy.known, JAVA_BYTE, offset, store.bytes().length);
        MemorySegment.copy(store.bytes(), 0, copy.now, JAVA_BYTE, offset, store.bytes().length);
    }

    private Shadow of(DmaStore store) {
        Map.Entry<Long, Shadow> below = shadows.floorEntry(store.deviceAddress());
        if (below == null
                || store.deviceAddress() - below.getKey() + store.bytes().length
                        > below.getValue().driver.now.byteSize()) {
            throw new UncheckedIOException(new DeviceException(store + " are in no DMA memory of the driver"));
        }
        return below.getValue();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
