package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.outboard.emulation.interpose.DmaImage;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.Interposer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The client's memory as an interposed model sees it: none of it is shared. What the client stored since the model last
 * looked, and what the model stores, pass the interposer as stores of whole words.
 */
final class InterposedMemory {
    /** So many places are brought up to date before the client writes a register: rings, above all. */
    private static final int MOST_PLACES = 64;

    /** More than any ring has. */
    private static final long MOST_BYTES = 8 << 20;

    private static final int WORD = DmaStore.WORD_BYTES;

    private record Place(long address, int length) {}

    private final DmaSpace client;
    private final Interposer interposer;
    /** What the model has seen, and what it has stored. */
    private final DmaImage known = new DmaImage();

    /** What the client had, as far as it was looked at: what changed was stored there by the client. */
    private final DmaImage found = new DmaImage();

    private final Map<Place, Boolean> places = new LinkedHashMap<>(MOST_PLACES, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, Boolean> eldest) {
            return size() > MOST_PLACES;
        }
    };

    InterposedMemory(DmaSpace client, Interposer interposer) {
        this.client = client;
        this.interposer = interposer;
    }

    void mapped(long address, long sizeBytes) {
        known.allocated(address, sizeBytes);
        found.allocated(address, sizeBytes);
        interposer.allocated(address, sizeBytes);
    }

    /** The model is reset: it has asked for nothing. */
    void forget() {
        places.clear();
    }

    private static Place words(long address, long length) {
        long start = address & -WORD;
        long end = (address + Math.max(length, 1) + WORD - 1) & -WORD;
        return new Place(start, Math.toIntExact(end - start));
    }

    /** The model asked whether it could read a range, as it does of its rings: what is there is looked at early. */
    void wanted(long address, long length) {
        if (length <= MOST_BYTES) {
            places.put(words(address, length), true);
        }
    }

    boolean read(long address, MemorySegment target) {
        Place place = words(address, target.byteSize());
        if (!client.allows(place.address, place.length, false) || !fetch(place)) {
            return false;
        }
        MemorySegment content = MemorySegment.ofBuffer(known.bytes(place.address, place.length));
        target.copyFrom(content.asSlice(address - place.address, target.byteSize()));
        return true;
    }

    boolean write(long address, MemorySegment source) {
        Place place = words(address, source.byteSize());
        if (!client.allows(place.address, place.length, true)) {
            return false;
        }
        // Memory that can only be written holds what was written.
        if (client.allows(place.address, place.length, false) && !fetch(place)) {
            return false;
        }
        MemorySegment content = MemorySegment.ofBuffer(known.bytes(place.address, place.length));
        content.asSlice(address - place.address).copyFrom(source);
        List<DmaStore> stores = new ArrayList<>();
        changes(place, known, content, stores);
        pass(stores);
        return true;
    }

    /** The client is about to write a register: what it stored before is seen before. */
    void beforeWrite() {
        List.copyOf(places.keySet()).forEach(this::fetch);
    }

    /** Takes what the client stored in a range; false if it does not say. */
    private boolean fetch(Place place) {
        MemorySegment content = MemorySegment.ofArray(new byte[place.length]);
        if (!client.readClient(place.address, content)) {
            return false;
        }
        List<DmaStore> stores = new ArrayList<>();
        changes(place, found, content, stores);
        if (!stores.isEmpty()) {
            stores.forEach(found::apply);
            interposer.toDevice(stores).forEach(known::apply);
        }
        return true;
    }

    /** How the content of a place differs from that before. */
    private static void changes(Place place, DmaImage before, MemorySegment content, List<DmaStore> stores) {
        long size = place.length;
        MemorySegment old = MemorySegment.ofBuffer(before.bytes(place.address, place.length));
        for (long at = 0; at < size; ) {
            long mismatch = MemorySegment.mismatch(content, at, size, old, at, size);
            if (mismatch < 0) {
                return;
            }
            long start = (at + mismatch) & -WORD;
            long end = start + WORD;
            while (end < size && content.get(JAVA_INT_UNALIGNED, end) != old.get(JAVA_INT_UNALIGNED, end)) {
                end += WORD;
            }
            stores.add(new DmaStore(
                    place.address + start, content.asSlice(start, end - start).toArray(JAVA_BYTE)));
            at = end;
        }
    }

    private void pass(List<DmaStore> stores) {
        stores.forEach(known::apply);
        for (DmaStore store : interposer.toDriver(stores)) {
            found.apply(store);
            client.writeInOrder(store.deviceAddress(), MemorySegment.ofArray(store.bytes()));
        }
    }

    /** What is late may be due. */
    void tick() {
        pass(List.of());
    }
}
