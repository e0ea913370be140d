package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * A queue pair for any number of threads, virtual ones too, with a future for each command. A thread of its own polls or
 * sleeps, as {@link Waiting} says, and costs nothing while no command is on its way. More commands than the queue has room
 * for wait in memory. Slower than a {@link QueuePair} of one's own: it locks, and allocates for each command.
 *
 * <p>Every future is completed: when the device is gone, fails or is closed, all of them are, with an {@link IOException}.
 * After a {@linkplain NvmeController#reset reset} that brings it back new ones succeed again. Until then a device that
 * failed may still write to the buffers of what was on its way: keep them.
 *
 * <p>Futures are completed on that thread: what depends on them and takes its time belongs on another, by the methods of
 * {@link CompletableFuture} that end in {@code Async}.
 */
public final class NvmeFutures implements AutoCloseable {
    private final NvmeNamespace namespace;
    private final QueuePair queue;
    private final Thread poller;
    private final Queue<Submission> queued = new ArrayDeque<>();
    private final Set<Submission> running = new HashSet<>();
    /** What to tell once the lock is released. */
    private List<Runnable> endings = new ArrayList<>();

    private boolean closed;

    /** Not a record: each is equal to itself alone. */
    private static final class Submission {
        final NvmeCommand command;
        final CompletableFuture<Long> future = new CompletableFuture<>();

        Submission(NvmeCommand command) {
            this.command = command;
        }
    }

    /**
     * Creates the view, its queue pair and its thread.
     *
     * @param controller the namespace's controller
     * @param namespace what {@link #read}, {@link #write} and {@link #flush} work on
     * @param depth how many commands can be on their way at a time
     * @param waiting how its thread waits for the controller
     * @throws IOException if the queue pair cannot be created
     */
    public NvmeFutures(NvmeController controller, NvmeNamespace namespace, int depth, Waiting waiting)
            throws IOException {
        this.namespace = namespace;
        queue = controller.createQueuePair(depth, waiting);
        poller = Thread.ofPlatform().daemon().name(queue + " futures").start(this::run);
    }

    /**
     * Reads blocks into the whole of a buffer.
     *
     * @param firstBlock the first block
     * @param buffer where to; its size is a multiple of the block's
     * @return completed once they are there, or with an {@link IOException}
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    public CompletableFuture<Long> read(long firstBlock, DmaMemory buffer) {
        return submit(NvmeCommand.read(namespace, firstBlock, blocks(buffer)).data(buffer));
    }

    /**
     * Writes blocks from the whole of a buffer.
     *
     * @param firstBlock the first block
     * @param buffer what to write; its size is a multiple of the block's
     * @return completed once they are written, or with an {@link IOException}
     * @throws IndexOutOfBoundsException if the blocks are not all there
     */
    public CompletableFuture<Long> write(long firstBlock, DmaMemory buffer) {
        return submit(NvmeCommand.write(namespace, firstBlock, blocks(buffer)).data(buffer));
    }

    /**
     * Makes everything durable that was written before.
     *
     * @return completed once it is, or with an {@link IOException}
     */
    public CompletableFuture<Long> flush() {
        return submit(NvmeCommand.of(Opcode.FLUSH).namespace(namespace.id()));
    }

    private int blocks(DmaMemory buffer) {
        return Math.toIntExact(buffer.sizeBytes() / namespace.extendedBlockBytes());
    }

    /**
     * Submits any command.
     *
     * @param command the command, which must not be changed until the future is completed
     * @return completed with dwords 0 and 1 of its completion, or with an {@link IOException}, or with what {@link
     *     QueuePair#submit(NvmeCommand)} says against the command
     */
    public CompletableFuture<Long> submit(NvmeCommand command) {
        Submission submission = new Submission(command);
        List<Runnable> ended;
        synchronized (this) {
            if (closed) {
                return CompletableFuture.failedFuture(new DeviceException(queue + " is closed"));
            }
            queued.add(submission);
            submitQueued();
            ended = takeEndings();
            notifyAll();
        }
        ended.forEach(Runnable::run);
        return submission.future;
    }

    /** Puts as much as has room on its way. */
    private void submitQueued() {
        while (!queued.isEmpty() && queue.room() > 0) {
            Submission next = queued.remove();
            try {
                running.add(next);
                queue.submit(next.command, request -> completed(request, next), 0);
            } catch (IOException | RuntimeException e) {
                end(next, e);
            }
        }
        try {
            queue.submit();
        } catch (IOException e) {
            endAll(e);
        }
    }

    private void completed(NvmeRequest request, Submission submission) {
        if (request.status() != 0) {
            end(submission, request.failure());
        } else if (running.remove(submission)) {
            long result = request.longResult();
            endings.add(() -> submission.future.complete(result));
        }
    }

    private void end(Submission submission, Exception reason) {
        running.remove(submission);
        endings.add(() -> submission.future.completeExceptionally(reason));
    }

    private List<Runnable> takeEndings() {
        List<Runnable> taken = endings;
        endings = taken.isEmpty() ? taken : new ArrayList<>();
        return taken;
    }

    private void run() {
        int idle = 0;
        while (true) {
            List<Runnable> ended;
            synchronized (this) {
                if (!awaitWork()) {
                    return;
                }
                poll();
                submitQueued();
                ended = takeEndings();
            }
            if (!ended.isEmpty()) {
                ended.forEach(Runnable::run);
                idle = 0;
                continue;
            }
            try {
                queue.commands().pause(++idle, System.nanoTime() + Pause.MAXIMUM_SLEEP_NANOS);
            } catch (IOException | RuntimeException e) {
                endAll(e);
            }
        }
    }

    /** Waits until a command is on its way, or one that ended is to be told; false if this is closed. */
    private boolean awaitWork() {
        while (!closed && running.isEmpty() && queued.isEmpty() && endings.isEmpty()) {
            try {
                wait();
            } catch (InterruptedException e) {
                // Nobody has this thread to interrupt; close ends it.
            }
        }
        return !closed;
    }

    private void poll() {
        try {
            queue.poll();
        } catch (IOException | RuntimeException e) {
            endAll(e);
        }
    }

    /** The queue pair failed: so did everything that waits for it. It may go on once the controller was reset. */
    private synchronized void endAll(Exception reason) {
        queued.forEach(submission -> end(submission, reason));
        queued.clear();
        for (Submission submission : List.copyOf(running)) {
            end(submission, reason);
        }
    }

    /** Deletes the queue pair. What is still on its way, or waits, fails. */
    @Override
    public void close() {
        List<Runnable> ended;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            endAll(new DeviceException(queue + " was closed"));
            ended = takeEndings();
            notifyAll();
        }
        ended.forEach(Runnable::run);
        try {
            if (!poller.equals(Thread.currentThread())) {
                poller.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        queue.close();
    }
}
