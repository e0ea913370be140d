package dev.outboard.virtio.block;

import dev.outboard.specs.virtio.VirtioBlk;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way. One that was submitted with a handler is valid until the handler returns; any other until
 * {@link #await} returns, and must be awaited. Its object is used again afterwards, for another request.
 *
 * <p>Belongs to the thread of its queue.
 */
public final class BlockRequest {
    /** The life of the slot that a request occupies. */
    enum State {
        FREE,
        SUBMITTED,
        COMPLETED
    }

    final BlockQueue queue;
    final int slot;
    State state = State.FREE;
    int type;

    @Nullable
    CompletionHandler handler;

    long context;
    int status;
    /** When the queue first looked at it, by {@link System#nanoTime}; 0 if it has not yet. */
    long seenNanos;

    BlockRequest(BlockQueue queue, int slot) {
        this.queue = queue;
        this.slot = slot;
    }

    /**
     * Waits for the completion, and polls the queue meanwhile. The request is invalid afterwards.
     *
     * @param timeout how long to wait at most
     * @throws VirtioBlockException if the request failed
     * @throws dev.outboard.driver.DeviceTimeoutException if it took too long; the buffer may still be written, so keep it
     *     until the device is closed
     * @throws IOException if the device failed otherwise
     */
    public void await(Duration timeout) throws IOException {
        queue.await(this, timeout);
    }

    /**
     * Whether the request is done.
     *
     * @return true once a poll of the queue has seen its completion
     */
    public boolean isDone() {
        return state == State.COMPLETED;
    }

    /**
     * What the handler is told with it.
     *
     * @return the number that was given with the request
     */
    public long context() {
        return context;
    }

    /**
     * How it ended.
     *
     * @return its status, see {@link VirtioBlk}; 0 is success
     */
    public int status() {
        return status;
    }

    /**
     * The failure as an exception.
     *
     * @return a new exception with the request and the {@link #status}
     */
    public VirtioBlockException failure() {
        return new VirtioBlockException(toString(), status);
    }

    @Override
    public String toString() {
        String name = switch (type) {
            case VirtioBlk.TYPE_IN -> "read";
            case VirtioBlk.TYPE_OUT -> "write";
            case VirtioBlk.TYPE_FLUSH -> "flush";
            case VirtioBlk.TYPE_GET_ID -> "get id";
            case VirtioBlk.TYPE_DISCARD -> "discard";
            case VirtioBlk.TYPE_WRITE_ZEROES -> "write zeroes";
            default -> "request " + type;
        };
        return name + " on " + queue;
    }
}
