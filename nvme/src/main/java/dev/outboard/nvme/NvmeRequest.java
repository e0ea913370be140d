package dev.outboard.nvme;

import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A command on its way. A request that was submitted with a handler is valid until the handler returns; any other until
 * {@link #await} returns, and must be awaited. Its object is used again afterwards, for another command.
 *
 * <p>Belongs to the thread of its queue pair.
 */
public final class NvmeRequest {
    // The life of the slot that a request occupies. Numbers, as they change three times a request: storing a reference
    // to an object takes five instructions more, for the collector.
    static final int FREE = 0;
    static final int SUBMITTED = 1;
    static final int COMPLETED = 2;

    final CommandQueue queue;
    final int slot;
    /** Low bits: the slot; high bits: counts its uses, so that a stale completion is known. */
    int commandId;

    int state = FREE;
    int opcode;

    @Nullable
    CompletionHandler handler;

    long context;
    int status;
    /** Dwords 0 and 1 of the completion. */
    long result;

    /** When the queue pair first looked at it, by {@link System#nanoTime}; 0 if it has not yet. */
    long seenNanos;

    NvmeRequest(CommandQueue queue, int slot) {
        this.queue = queue;
        this.slot = slot;
        this.commandId = slot;
    }

    /**
     * Waits for the completion, and polls the queue pair meanwhile. The request is invalid afterwards.
     *
     * @param timeout how long to wait at most
     * @return dword 0 of the completion
     * @throws NvmeException if the command failed
     * @throws dev.outboard.driver.DeviceTimeoutException if it took too long; the buffer may still be written, so keep it
     *     until the queue pair is closed
     * @throws IOException if the device failed otherwise; keep the buffer, too
     */
    public int await(Duration timeout) throws IOException {
        return queue.await(this, timeout);
    }

    /**
     * Whether the command is done.
     *
     * @return true once a poll of the queue pair has seen its completion
     */
    public boolean isDone() {
        return state == COMPLETED;
    }

    /**
     * What the handler is told with it.
     *
     * @return the number that was given with the command
     */
    public long context() {
        return context;
    }

    /**
     * How it ended.
     *
     * @return the status field of the completion, see {@link Status}; 0 is success
     */
    public int status() {
        return status;
    }

    /**
     * The command specific result.
     *
     * @return dword 0 of the completion
     */
    public int result() {
        return (int) result;
    }

    /**
     * The command specific result of commands that have a long one, such as a zone append.
     *
     * @return dwords 0 and 1 of the completion; of an awaited request until the next command is submitted
     */
    public long longResult() {
        return result;
    }

    /**
     * The failure as an exception.
     *
     * @return a new exception with the command and the {@link #status}
     */
    public NvmeException failure() {
        return new NvmeException(toString(), status);
    }

    @Override
    public String toString() {
        return (queue.isAdmin() ? Opcode.adminName(opcode) : Opcode.ioName(opcode)) + " on " + queue;
    }
}
