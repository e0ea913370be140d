package dev.outboard.nvme;

import dev.outboard.driver.ByteSize;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeSettings.HostMemoryUse;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Identify;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The host memory buffer: memory that the controller has for itself, for as long as the driver lets it. The driver never
 * looks at it. NVMe base specification 2.0, 8.9.
 *
 * <p>It is kept over resets, which take it away from the controller, and returned with what the controller left there. It
 * is freed only when the controller has said that it does not use it; else it goes with the function.
 */
final class HostMemoryBuffer {
    private final ControllerAccess access;
    private final AdminQueue admin;
    private final NvmeSettings settings;

    /** What the controller has, or had before it was reset; none if it never took any. */
    private List<DmaMemory> pieces = List.of();

    private @Nullable DmaMemory list;
    /** What the controller wanted that took them; null if none did. */
    private @Nullable Wish fulfilled;

    private boolean given;
    private volatile long sizeBytes;

    /** What a controller says about the memory that it wants, in bytes; no limit of a piece, or of their number, is 0. */
    private record Wish(long preferred, long minimum, long minimumPiece, int maximumPieces) {
        static Wish of(ControllerIdentity identity) {
            StructView data = identity.data();
            return new Wish(
                    data.get("hmpre") * Identify.HOST_MEMORY_UNIT_BYTES,
                    data.get("hmmin") * Identify.HOST_MEMORY_UNIT_BYTES,
                    data.get("hmminds") * Identify.HOST_MEMORY_UNIT_BYTES,
                    data.getInt("hmmaxd"));
        }
    }

    HostMemoryBuffer(ControllerAccess access, AdminQueue admin, NvmeSettings settings) {
        this.access = access;
        this.admin = admin;
        this.settings = settings;
    }

    /** How much the controller has; for any thread. */
    long sizeBytes() {
        return sizeBytes;
    }

    /** Gives a controller what it wants, that was just enabled and so has none. */
    void give(ControllerIdentity identity) throws IOException {
        given = false;
        sizeBytes = 0;
        boolean isWanted = switch (settings.hostMemory()) {
            case ON -> true;
            case OFF -> false;
            // Somebody between would have to compare all of it whenever the controller may have written.
            case AUTO -> !access.function().isInterposed();
        };
        if (!isWanted) {
            return;
        }
        Wish wish = Wish.of(identity);
        String obstacle = obstacle(wish);
        if (obstacle != null) {
            free();
            refuse(obstacle, null);
            return;
        }
        if (wish.equals(fulfilled) && offer(wish, true) == null) {
            return;
        }
        // It never had any, wants something else than before, or does not know any more what is in these.
        free();
        allocate(wish);
        NvmeException refused = pieces.isEmpty() ? null : offer(wish, false);
        if (refused != null) {
            free();
            refuse("does not take a host memory buffer: " + refused.getMessage(), refused);
        }
    }

    /** Why the controller cannot have what it wants; null if it can. */
    private @Nullable String obstacle(Wish wish) {
        long limit = settings.hostMemoryLimitBytes();
        if (wish.preferred == 0) {
            return "wants no host memory buffer (HMPRE is 0)";
        }
        if (wish.minimum > wish.preferred) {
            return "prefers a host memory buffer of " + new ByteSize(wish.preferred) + " and needs "
                    + new ByteSize(wish.minimum) + ", which cannot be (HMPRE and HMMIN)";
        }
        if (wish.minimum > limit) {
            return "needs a host memory buffer of " + new ByteSize(wish.minimum) + ", and may have "
                    + new ByteSize(limit) + "; allow it more by NvmeSettings.withHostMemoryLimit";
        }
        if (wish.minimumPiece > wanted(wish)) {
            return "takes no piece of a host memory buffer below " + new ByteSize(wish.minimumPiece)
                    + " (HMMINDS), and may have " + new ByteSize(wanted(wish)) + " in all";
        }
        return wanted(wish) == 0 ? "may have less than one of its pages for a host memory buffer" : null;
    }

    private void refuse(String obstacle, @Nullable Throwable cause) throws DeviceException {
        // It has to work without, as well.
        if (settings.hostMemory() == HostMemoryUse.ON) {
            throw new DeviceException(access + " " + obstacle + "; or open it without one", cause);
        }
    }

    private long wanted(Wish wish) {
        return Math.min(wish.preferred, settings.hostMemoryLimitBytes()) & -(long) access.pageBytes();
    }

    /** In one piece if that can be had, else in several, as large as they can be had. */
    private void allocate(Wish wish) throws IOException {
        long wanted = wanted(wish);
        long smallest = Math.max(wish.minimumPiece, access.pageBytes());
        IOException reason = null;
        for (long piece = wanted; piece >= smallest; piece = piece / 2 & -(long) access.pageBytes()) {
            reason = allocate(wish, wanted, piece);
            if (!pieces.isEmpty() && total() >= wish.minimum) {
                writeList();
                return;
            }
            free();
        }
        refuse(
                "cannot have a host memory buffer: "
                        + (reason == null ? "its pieces are too small" : reason.getMessage()),
                reason);
    }

    /** As much as there is, in pieces of a size; returns why it is less than wanted, if it is for lack of memory. */
    private @Nullable IOException allocate(Wish wish, long wanted, long piece) {
        List<DmaMemory> taken = new ArrayList<>();
        pieces = taken;
        long smallest = Math.max(wish.minimumPiece, access.pageBytes());
        for (long left = wanted; left >= smallest; left -= Math.min(piece, left)) {
            if (wish.maximumPieces != 0 && taken.size() == wish.maximumPieces) {
                return null;
            }
            try {
                taken.add(access.dma().allocate(Math.min(piece, left), access.pageBytes()));
            } catch (IOException full) {
                return full;
            }
        }
        return null;
    }

    private long total() {
        return pieces.stream().mapToLong(DmaMemory::sizeBytes).sum();
    }

    private void writeList() throws IOException {
        long entry = Feature.HOST_MEMORY_DESCRIPTOR.byteSize();
        DmaMemory written = access.dma().allocate(pieces.size() * entry, access.pageBytes());
        MemorySegment entries = written.segment();
        for (int i = 0; i < pieces.size(); i++) {
            Feature.HOST_MEMORY_DESCRIPTOR
                    .view(entries.asSlice(i * entry, entry))
                    .set("addr", pieces.get(i).deviceAddress())
                    .set("size", pieces.get(i).sizeBytes() / access.pageBytes());
        }
        list = written;
    }

    /**
     * Has the controller use it.
     *
     * @param returned whether it is what the controller had before, untouched
     * @return why the controller does not want it; null if it does
     */
    private @Nullable NvmeException offer(Wish wish, boolean returned) throws IOException {
        DmaMemory written = list;
        if (written == null) {
            throw new IllegalStateException("a host memory buffer without a list");
        }
        long flags = Feature.HOST_MEMORY_ENABLED.of(1) | Feature.HOST_MEMORY_RETURNED.of(returned ? 1 : 0);
        NvmeCommand command = Features.setCommand(Feature.HOST_MEMORY_BUFFER, (int) flags, 0, false)
                .dword(12, (int) (total() / access.pageBytes()))
                .qword(13, written.deviceAddress())
                .dword(15, pieces.size());
        try {
            admin.execute(command);
            given = true;
            fulfilled = wish;
            sizeBytes = total();
            return null;
        } catch (NvmeException refused) {
            return refused;
        }
    }

    /** Has the controller use it no more, before it is shut down. */
    void takeBack() {
        if (!given) {
            return;
        }
        try {
            access.function().checkPresent();
            admin.execute(Features.setCommand(Feature.HOST_MEMORY_BUFFER, 0, 0, false));
            given = false;
            sizeBytes = 0;
            free();
        } catch (IOException unconfirmed) {
            // It may use it until its function is closed, which takes all DMA memory away.
        }
    }

    /** The controller does not use it. */
    private void free() {
        pieces.forEach(DmaMemory::close);
        pieces = List.of();
        fulfilled = null;
        if (list != null) {
            list.close();
            list = null;
        }
    }
}
