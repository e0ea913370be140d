package dev.outboard.nvme;

import dev.outboard.specs.nvme.Status;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a queue, one for each command that can be on its way, and one more: a request keeps its slot while
 * its handler submits the next.
 */
final class RequestSlots {
    /** The most commands that can be on their way: command identifiers keep four bits to count uses. */
    static final int MAXIMUM_DEPTH = 1 << 12;

    private static final int SLOT_MASK = MAXIMUM_DEPTH - 1;
    private static final int IDENTIFIER_MASK = 0xffff;

    /** Of requests whose end concerns nobody. */
    static final CompletionHandler IGNORED = request -> {};

    private final NvmeRequest[] requests;
    private final int[] free;
    private int freeCount;
    private int spare = 1;

    RequestSlots(CommandQueue queue, int depth) {
        int slots = depth + 1;
        requests = new NvmeRequest[slots];
        free = new int[slots];
        for (int slot = 0; slot < slots; slot++) {
            requests[slot] = new NvmeRequest(queue, slot);
            free[slot] = depth - slot;
        }
        freeCount = slots;
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
        request.commandId = (request.commandId + MAXIMUM_DEPTH) & IDENTIFIER_MASK;
        request.seenNanos = 0;
        request.state = NvmeRequest.State.SUBMITTED;
        return request;
    }

    void release(NvmeRequest request) {
        request.state = NvmeRequest.State.FREE;
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
        return request.commandId == commandId && request.state == NvmeRequest.State.SUBMITTED ? request : null;
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

    /** Nobody waits for a request any more, so it is free as soon as it ends. */
    void abandon(NvmeRequest request) {
        switch (request.state) {
            case SUBMITTED -> request.handler = IGNORED;
            case COMPLETED -> release(request);
            case FREE -> {
                // Its status was told.
            }
        }
    }

    /** Reports everything that is on its way as aborted: the controller has forgotten it, or is gone. */
    void abortAll() {
        List<NvmeRequest> aborted = new ArrayList<>();
        for (NvmeRequest request : requests) {
            if (request.state == NvmeRequest.State.SUBMITTED) {
                request.status = Status.ABORTED_BY_HOST;
                request.result = 0;
                request.state = NvmeRequest.State.COMPLETED;
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
