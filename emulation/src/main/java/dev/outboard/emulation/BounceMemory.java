package dev.outboard.emulation;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import dev.outboard.emulation.interpose.DmaImage;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.Interposer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The client's memory as an interposed model sees it: copies of what it asks for, which it gives back after each step. What
 * the client stored since the model last looked, and what the model stored, pass the interposer as stores of whole words.
 *
 * <p>A copy counts as unmapped after the step, so that a model which keeps one asks again.
 */
final class BounceMemory {
    /** So many places are brought up to date before the client writes a register: rings, above all. */
    private static final int MOST_PLACES = 64;

    private static final int WORD = DmaStore.WORD_BYTES;

    private record Place(long address, int length) {}

    private final DmaSpace client;
    private final Interposer interposer;
    /** What the model has seen, and what it has stored. */
    private final DmaImage known = new DmaImage();

    private final List<DmaRegion> copies = new ArrayList<>();
    private final Map<Place, Boolean> places = new LinkedHashMap<>(MOST_PLACES, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Place, Boolean> eldest) {
            return size() > MOST_PLACES;
        }
    };

    BounceMemory(DmaSpace client, Interposer interposer) {
        this.client = client;
        this.interposer = interposer;
    }

    void mapped(long address, long sizeBytes) {
        known.allocated(address, sizeBytes);
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

    /** A copy of a range; null if the client does not let the device have it. */
    @Nullable
    DmaRegion region(long address, long length, boolean forWriting) {
        Place place = words(address, length);
        giveBack();
        if (!fetch(place, forWriting)) {
            return null;
        }
        if (!forWriting) {
            places.put(place, true);
        }
        for (DmaRegion copy : copies) {
            if (copy.contains(address, length)) {
                return copy;
            }
        }
        // Only the agent's thread uses it, until the end of the step.
        Arena arena = Arena.ofConfined();
        MemorySegment segment = arena.allocate(place.length, Long.BYTES);
        segment.copyFrom(MemorySegment.ofBuffer(known.bytes(place.address, place.length)));
        DmaRegion copy = new DmaRegion(place.address, place.length, segment, true, true, arena);
        copies.add(copy);
        return copy;
    }

    boolean read(long address, MemorySegment target) {
        Place place = words(address, target.byteSize());
        giveBack();
        if (!fetch(place, false)) {
            return false;
        }
        MemorySegment content = MemorySegment.ofBuffer(known.bytes(place.address, place.length));
        target.copyFrom(content.asSlice(address - place.address, target.byteSize()));
        return true;
    }

    boolean write(long address, MemorySegment source) {
        Place place = words(address, source.byteSize());
        giveBack();
        if (!fetch(place, true)) {
            return false;
        }
        MemorySegment content = MemorySegment.ofBuffer(known.bytes(place.address, place.length));
        content.asSlice(address - place.address).copyFrom(source);
        List<DmaStore> stores = new ArrayList<>();
        changes(place.address, content, stores);
        pass(stores);
        return true;
    }

    /** The client is about to write a register: what it stored before is seen before. */
    void beforeWrite() {
        List.copyOf(places.keySet()).forEach(place -> fetch(place, false));
    }

    /** Takes what the client stored in a range, which copies of it then have too. */
    private boolean fetch(Place place, boolean forWriting) {
        if (!client.allows(place.address, place.length, forWriting)) {
            return false;
        }
        if (!client.allows(place.address, place.length, false)) {
            // Memory that can only be written holds what was written.
            return true;
        }
        byte[] bytes = new byte[place.length];
        MemorySegment content = MemorySegment.ofArray(bytes);
        if (!client.readClient(place.address, content)) {
            return false;
        }
        List<DmaStore> stores = new ArrayList<>();
        changes(place.address, content, stores);
        if (!stores.isEmpty()) {
            interposer.toDevice(stores).forEach(known::apply);
            for (DmaRegion copy : copies) {
                int size = Math.toIntExact(copy.sizeBytes());
                copy.segment().copyFrom(MemorySegment.ofBuffer(known.bytes(copy.address(), size)));
            }
        }
        return true;
    }

    /** How a range differs from what is known of it. */
    private void changes(long address, MemorySegment content, List<DmaStore> stores) {
        long size = content.byteSize();
        ByteBuffer before = known.bytes(address, Math.toIntExact(size));
        MemorySegment old = MemorySegment.ofBuffer(before);
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
                    address + start, content.asSlice(start, end - start).toArray(JAVA_BYTE)));
            at = end;
        }
    }

    /** Passes on what the model stored in its copies. */
    private void giveBack() {
        List<DmaStore> stores = new ArrayList<>();
        // A model asks for the place of a completion before it moves the data, which the client must find first.
        for (int i = copies.size() - 1; i >= 0; i--) {
            changes(copies.get(i).address(), copies.get(i).segment(), stores);
        }
        if (!stores.isEmpty()) {
            pass(stores);
        }
    }

    private void pass(List<DmaStore> stores) {
        stores.forEach(known::apply);
        for (DmaStore store : interposer.toDriver(stores)) {
            client.writeInOrder(store.deviceAddress(), MemorySegment.ofArray(store.bytes()));
        }
    }

    /** The end of a step: the model gives its copies back. */
    void settle() {
        giveBack();
        copies.forEach(DmaRegion::unmap);
        copies.clear();
    }

    /** What is late may be due. */
    void tick() {
        pass(List.of());
    }
}
