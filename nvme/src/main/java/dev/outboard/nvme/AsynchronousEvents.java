package dev.outboard.nvme;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Keeps requests for asynchronous events at the controller while anyone listens, and tells of what they bring. A request
 * stays there until an event answers it, so there is one set of them for all listeners. NVMe base specification 2.0, 5.2.
 */
final class AsynchronousEvents {
    private static final int MOST_REQUESTS = 4;
    private static final long POLL_NANOS = 10_000_000;
    private static final int NEVER = -1;

    private final NvmeController controller;
    private final AdminQueue queue;
    private final List<Watch> watches = new CopyOnWriteArrayList<>();
    private final Queue<NvmeEvent> events = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    /** How many requests the controller keeps: AERL is one less. */
    private volatile int limit;

    private int resetsSeen = NEVER;
    private @Nullable Thread thread;

    private final class Watch implements EventWatch {
        private final Consumer<NvmeEvent> listener;

        Watch(Consumer<NvmeEvent> listener) {
            this.listener = listener;
        }

        /** A listener that fails is not to silence the others. */
        private void tell(NvmeEvent event) {
            try {
                listener.accept(event);
            } catch (RuntimeException failure) {
                Thread current = Thread.currentThread();
                current.getUncaughtExceptionHandler().uncaughtException(current, failure);
            }
        }

        @Override
        public void close() {
            watches.remove(this);
        }
    }

    AsynchronousEvents(NvmeController controller, AdminQueue queue) {
        this.controller = controller;
        this.queue = queue;
    }

    EventWatch watch(Consumer<NvmeEvent> listener) throws IOException {
        ask();
        Watch watch = new Watch(listener);
        synchronized (watches) {
            watches.add(watch);
            if (thread == null) {
                thread = Thread.ofPlatform()
                        .daemon()
                        .name("events of " + controller.address())
                        .start(this::run);
            }
        }
        return watch;
    }

    private boolean isWanted() {
        synchronized (watches) {
            if (watches.isEmpty() || controller.isClosed()) {
                thread = null;
                return false;
            }
            return true;
        }
    }

    private void run() {
        while (isWanted()) {
            try {
                queue.poll();
                for (NvmeEvent event = events.poll(); event != null; event = events.poll()) {
                    tell(event);
                }
                ask();
            } catch (DeviceGoneException gone) {
                watches.clear();
            } catch (IOException failed) {
                // Whoever sends a command hears of it. After a reset events go on.
            } catch (IllegalStateException e) {
                if (!controller.isClosed()) {
                    throw e;
                }
                // Its memory is gone.
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private void tell(NvmeEvent event) throws IOException {
        try {
            if (event.word() == AsynchronousEvent.NAMESPACES_CHANGED) {
                // Reading the log lets the next event come; so the list is read after it.
                controller.admin().logs().changedNamespaces();
                controller.refreshNamespaces();
            }
        } finally {
            watches.forEach(watch -> watch.tell(event));
        }
    }

    /** Sees to it that as many requests wait as shall, and that the events are chosen, which a reset undoes. */
    private void ask() throws IOException {
        // Not while the controller is being reset.
        synchronized (controller) {
            if (controller.isClosed()) {
                return;
            }
            if (resetsSeen != controller.resets()) {
                limit = Math.min(MOST_REQUESTS, controller.identity().data().getInt("aerl") + 1);
                choose();
                resetsSeen = controller.resets();
            }
            while (waiting.get() < limit) {
                waiting.incrementAndGet();
                if (!queue.submit(NvmeCommand.of(Opcode.ASYNCHRONOUS_EVENT_REQUEST), this::answered)) {
                    waiting.decrementAndGet();
                    return;
                }
            }
            queue.poll();
        }
    }

    /** Asks for all warnings, and for notices that the controller has: in OAES they have the places that they have here. */
    private void choose() throws IOException {
        Features features = controller.admin().features();
        long notices = AsynchronousEvent.ENABLE_NAMESPACES.mask() | AsynchronousEvent.ENABLE_FIRMWARE.mask();
        long wanted = AsynchronousEvent.ENABLE_WARNINGS.mask()
                | (controller.identity().data().get("oaes") & notices);
        int before = features.get(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION);
        features.set(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION, before | (int) wanted);
    }

    /** On whichever thread polls. */
    private void answered(NvmeRequest request) {
        int left = waiting.decrementAndGet();
        switch (Status.code(request.status())) {
            case Status.SUCCESS -> events.add(new NvmeEvent(request.result()));
            case Status.ABORTED_BY_HOST, Status.ABORT_REQUESTED -> {
                // By a reset: it is asked again.
            }
            // It takes no more than there are.
            default -> limit = Math.min(limit, left);
        }
    }
}
