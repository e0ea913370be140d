package dev.outboard.nvme;

import dev.outboard.specs.nvme.Status;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a queue, one for each command that can be on its way, and one more: a request keeps its slot while
 * its handler submits the next. Slot 0 is never taken, so that zeros, as memory has them that was taken away, complete
 * nothing.
 */
final class RequestSlots {
    /** Command identifiers keep four bits to count uses. */
    private static final int SLOTS = 1 << 12;

    private static final int SPARE_SLOTS = 2;
    /** The most commands that can be on their way. No command has the identifier FFFFh: error logs have another use for it. */
    static final int MAXIMUM_DEPTH = SLOTS - SPARE_SLOTS - 1;

    private static final int SLOT_MASK = SLOTS - 1;
    private static final int IDENTIFIER_MASK = 0xffff;

    /** Of requests whose end concerns nobody. */
    static final CompletionHandler IGNORED = request -> {};

    private final NvmeRequest[] requests;
    private final int[] free;
    private int freeCount;
    private int spare = 1;

    RequestSlots(CommandQueue queue, int depth) {
        int slots = depth + SPARE_SLOTS;
        requests = new NvmeRequest[slots];
        free = new int[slots];
        for (int slot = slots - 1; slot >= 0; slot--) {
            requests[slot] = new NvmeRequest(queue, slot);
            if (slot > 0) {
                free[freeCount++] = slot;
            }
        }
    }

    /** How many more can be taken now. */
    int room() {
        return freeCount - spare;
    }

    /** The request that {@link #take} would take; there must be room. */
    NvmeRequest next() {
        return requests[free[freeCount - 1]];
    }

    /** Takes a request, with an identifier that differs from those of its last uses. */
    NvmeRequest take() {
        NvmeRequest request = requests[free[--freeCount]];
        request.commandId = (request.commandId + SLOTS) & IDENTIFIER_MASK;
        request.seenNanos = 0;
        request.state = NvmeRequest.SUBMITTED;
        return request;
    }

    void release(NvmeRequest request) {
        request.state = NvmeRequest.FREE;
        free[freeCount++] = request.slot;
    }

    /** The request on its way that has an identifier, or null if there is none. */
    @Nullable
    NvmeRequest find(int commandId) {
        int slot = commandId & SLOT_MASK;
        if (slot >= requests.length) {
            return null;
        }
        NvmeRequest request = requests[slot];
        return request.commandId == commandId && request.state == NvmeRequest.SUBMITTED ? request : null;
    }

    /** Tells a request's handler, if it has one; the request is free afterwards. */
    void tell(NvmeRequest request) {
        CompletionHandler handler = request.handler;
        if (handler != null) {
            spare = 0;
            try {
                handler.completed(request);
            } finally {
                spare = 1;
                release(request);
            }
        }
    }

    /** Whether a handler is being told. */
    boolean isTelling() {
        return spare == 0;
    }

    /** Nobody waits for a request any more, so it is free as soon as it ends. */
    void abandon(NvmeRequest request) {
        if (request.state == NvmeRequest.SUBMITTED) {
            request.handler = IGNORED;
        } else if (request.state == NvmeRequest.COMPLETED) {
            release(request);
        }
    }

    /** Reports everything that is on its way as aborted: the controller has forgotten it, or is gone. */
    void abortAll() {
        List<NvmeRequest> aborted = new ArrayList<>();
        for (NvmeRequest request : requests) {
            if (request.state == NvmeRequest.SUBMITTED) {
                request.status = Status.ABORTED_BY_HOST;
                request.result = 0;
                request.state = NvmeRequest.COMPLETED;
                aborted.add(request);
            }
        }
        // Only now: handlers submit new ones.
        RuntimeException failure = null;
        for (NvmeRequest request : aborted) {
            try {
                tell(request);
            } catch (RuntimeException e) {
                // The others are to be told all the same.
                failure = e;
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** All requests, free ones too. */
    NvmeRequest[] all() {
        return requests;
    }
}
