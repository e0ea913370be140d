package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.DmaSpace;
import dev.outboard.emulation.nvme.NvmeOptions.HostMemoryWish;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;

/**
 * The host memory buffer: memory of the host that the controller has for itself. NVMe base specification 2.0, 8.9 and
 * 5.27.1.10. A controller without memory of its own keeps there where its blocks are. This one does so too: for each page
 * of a namespace that is read or written an entry, with a sum. So it notices when the host changes the memory, or takes
 * it away: it fails then, which no real controller has to.
 */
final class HostMemory {
    /** The longest list that this controller reads. */
    static final int MOST_PIECES = 0xffff;

    private static final long ENTRY_BYTES = 2 * Long.BYTES;
    private static final long LIST_ALIGNMENT = 16;
    private static final int NAMESPACE_SHIFT = 48;
    /** As {@link java.util.SplittableRandom} mixes: one changed bit changes half of all. */
    private static final long MIX_1 = 0xbf58476d1ce4e5b9L;

    private static final long MIX_2 = 0x94d049bb133111ebL;

    private final HostMemoryWish wish;
    private final DmaSpace dma;
    private final MemorySegment entry = Arena.ofAuto().allocate(ENTRY_BYTES, Long.BYTES);
    /** The entries that were filled; what is in the others is nobody's. */
    private final BitSet filled = new BitSet();

    private List<Piece> pieces = List.of();
    private long listAddress;
    private long sizeBytes;
    /** Differs each time that the memory is new, so that what was left there by an earlier user is no entry. */
    private long generation;

    private boolean enabled;
    private boolean damaged;

    /** A piece of the memory; {@code first} is its first entry among those of all pieces. */
    private record Piece(long address, long bytes, long first) {
        long end() {
            return address + bytes;
        }
    }

    HostMemory(HostMemoryWish wish, DmaSpace dma) {
        this.wish = wish;
        this.dma = dma;
    }

    /** Whether something was not as it was left; until the next reset. */
    boolean isDamaged() {
        return damaged;
    }

    /** A controller level reset: the memory is the host's again, which may return it as it is. */
    void reset() {
        enabled = false;
        damaged = false;
    }

    /** Fills in what get features tells; returns dword 0 of its completion. */
    long describe(MemorySegment page) {
        Feature.HOST_MEMORY_ATTRIBUTES
                .view(page)
                .set("hsize", enabled ? sizeBytes / DmaSpace.PAGE_BYTES : 0)
                .set("hmdlal", enabled ? listAddress & 0xffff_ffffL : 0)
                .set("hmdlau", enabled ? listAddress >>> Integer.SIZE : 0)
                .set("hmdlec", enabled ? pieces.size() : 0);
        return Feature.HOST_MEMORY_ENABLED.of(enabled ? 1 : 0);
    }

    /** Carries out set features. Returns a status without flags. */
    int set(Command command) {
        int flags = command.dword(SubmissionEntry.CDW11);
        if (!Feature.HOST_MEMORY_ENABLED.isSet(flags)) {
            enabled = false;
            return Status.SUCCESS;
        }
        if (enabled) {
            return command.invalid(SubmissionEntry.CDW11, Status.SEQUENCE_ERROR);
        }
        return enable(command, Feature.HOST_MEMORY_RETURNED.isSet(flags));
    }

    private int enable(Command command, boolean returned) {
        long size = Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW12)) * DmaSpace.PAGE_BYTES;
        long address = command.qword(SubmissionEntry.CDW13);
        long count = Integer.toUnsignedLong(command.dword(SubmissionEntry.CDW15));
        if (size == 0 || size < wish.minimumBytes()) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        if ((address & (LIST_ALIGNMENT - 1)) != 0) {
            return command.invalid(SubmissionEntry.CDW13);
        }
        if (count == 0 || count > (wish.maximumPieces() == 0 ? MOST_PIECES : wish.maximumPieces())) {
            return command.invalid(SubmissionEntry.CDW15);
        }
        List<Piece> found = new ArrayList<>();
        int status = readList(command, address, (int) count, found);
        if (status != Status.SUCCESS) {
            return status;
        }
        if (found.getLast().first + found.getLast().bytes / ENTRY_BYTES != size / ENTRY_BYTES) {
            return command.invalid(SubmissionEntry.CDW12);
        }
        boolean isSame = found.equals(pieces) && address == listAddress;
        pieces = found;
        listAddress = address;
        sizeBytes = size;
        if (!returned) {
            filled.clear();
            generation++;
        } else if (!isSame || !isAsItWas()) {
            // Whoever says that it is what it was, and it is not, could have the controller lose data.
            pieces = List.of();
            return command.invalid(SubmissionEntry.CDW11);
        }
        enabled = true;
        return Status.SUCCESS;
    }

    private int readList(Command command, long address, int count, List<Piece> found) {
        StructView descriptor = Feature.HOST_MEMORY_DESCRIPTOR.view(entry);
        long first = 0;
        for (int i = 0; i < count; i++) {
            if (!dma.read(address + i * ENTRY_BYTES, entry)) {
                return Status.DATA_TRANSFER_ERROR;
            }
            long start = descriptor.get("addr");
            long bytes = descriptor.get("size") * DmaSpace.PAGE_BYTES;
            if ((start & (DmaSpace.PAGE_BYTES - 1)) != 0 || bytes == 0 || bytes < wish.minimumPieceBytes()) {
                return command.invalid(SubmissionEntry.CDW13);
            }
            // Not asked whether it can be read: what the controller has not written there it does not read.
            if (!dma.isWritable(start, bytes)) {
                return Status.DATA_TRANSFER_ERROR;
            }
            found.add(new Piece(start, bytes, first));
            first += bytes / ENTRY_BYTES;
        }
        List<Piece> byAddress = new ArrayList<>(found);
        byAddress.sort(Comparator.comparing(Piece::address, Long::compareUnsigned));
        for (int i = 1; i < count; i++) {
            if (Long.compareUnsigned(byAddress.get(i - 1).end(), byAddress.get(i).address) > 0) {
                return command.invalid(SubmissionEntry.CDW13);
            }
        }
        return Status.SUCCESS;
    }

    private boolean isAsItWas() {
        for (int slot = filled.nextSetBit(0); slot >= 0; slot = filled.nextSetBit(slot + 1)) {
            if (!load(slot) || !isEntryOf(slot)) {
                return false;
            }
        }
        return true;
    }

    /**
     * Finds where a range of a namespace is, page by page, and remembers what was not there. Returns false if the memory is
     * not as it was left, or not there any more.
     */
    boolean lookUp(Namespace namespace, long offset, long bytes) {
        if (!enabled) {
            return true;
        }
        long last = (offset + bytes - 1) / DmaSpace.PAGE_BYTES;
        for (long page = offset / DmaSpace.PAGE_BYTES; page <= last && !damaged; page++) {
            damaged = !lookUp((long) namespace.id() << NAMESPACE_SHIFT | page);
        }
        return !damaged;
    }

    private boolean lookUp(long key) {
        // What the host gives beyond what was asked for is of no use.
        long slots = Math.min(sizeBytes, wish.preferredBytes()) / ENTRY_BYTES;
        int slot = (int) Long.remainderUnsigned(mix(key), slots);
        if (filled.get(slot)) {
            if (!load(slot) || !isEntryOf(slot)) {
                return false;
            }
            if (entry.get(JAVA_LONG, 0) == key) {
                return true;
            }
        }
        entry.set(JAVA_LONG, 0, key);
        entry.set(JAVA_LONG, Long.BYTES, sum(key, slot));
        filled.set(slot);
        return dma.write(addressOf(slot), entry);
    }

    private boolean load(int slot) {
        return dma.read(addressOf(slot), entry);
    }

    private boolean isEntryOf(int slot) {
        return entry.get(JAVA_LONG, Long.BYTES) == sum(entry.get(JAVA_LONG, 0), slot);
    }

    private long sum(long key, int slot) {
        return mix(key + mix(generation << Integer.SIZE | slot));
    }

    private static long mix(long value) {
        long mixed = (value ^ value >>> 30) * MIX_1;
        mixed = (mixed ^ mixed >>> 27) * MIX_2;
        return mixed ^ mixed >>> 31;
    }

    private long addressOf(int slot) {
        int low = 0;
        int high = pieces.size() - 1;
        while (low < high) {
            int middle = (low + high + 1) >>> 1;
            if (pieces.get(middle).first <= slot) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Piece piece = pieces.get(low);
        return piece.address + (slot - piece.first) * ENTRY_BYTES;
    }
}
