package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Who waits for which reply, by message id. */
final class PendingReplies {
    private static final int MESSAGE_IDS = 1 << Short.SIZE;

    /** One command on its way. */
    static final class Waiter {
        private final int id;
        private final int command;
        private final CountDownLatch done = new CountDownLatch(1);
        private @Nullable Reply reply;
        private @Nullable DeviceException refusal;

        private Waiter(int id, int command) {
            this.id = id;
            this.command = command;
        }

        int id() {
            return id;
        }

        /** Hands a reply over, with its descriptors; false if the waiter has left. */
        synchronized boolean complete(Reply came) {
            if (done.getCount() == 0) {
                return false;
            }
            reply = came;
            done.countDown();
            return true;
        }

        synchronized void refuse(DeviceException why) {
            if (done.getCount() != 0) {
                refusal = why;
            }
            done.countDown();
        }

        private synchronized void end() {
            done.countDown();
        }

        /**
         * Waits without regard to interruption: a register access has no way to end early. The deadline bounds it.
         *
         * @return the reply; null if none will come
         * @throws DeviceException if the server refused
         */
        @Nullable
        Reply await(long deadlineNanos) throws TimeoutException, DeviceException {
            boolean interrupted = false;
            while (done.getCount() != 0) {
                try {
                    if (!done.await(deadlineNanos - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                        break;
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            synchronized (this) {
                if (done.getCount() != 0) {
                    done.countDown();
                    throw new TimeoutException();
                }
                if (refusal != null) {
                    throw refusal;
                }
                return reply;
            }
        }
    }

    private final Map<Integer, Waiter> waiters = new ConcurrentHashMap<>();
    private int nextId;

    synchronized Waiter add(String name, int command) throws DeviceException {
        for (int tried = 0; tried < MESSAGE_IDS; tried++) {
            Waiter waiter = new Waiter(nextId, command);
            nextId = (nextId + 1) % MESSAGE_IDS;
            if (waiters.putIfAbsent(waiter.id, waiter) == null) {
                return waiter;
            }
        }
        throw new DeviceException(name + ": " + MESSAGE_IDS + " commands wait for their replies, no more can be sent");
    }

    /**
     * Who waits for a reply to a command; null if nobody does. Stays in the list, for {@link #endAll} to find. A reply
     * may leave open which command it is to: libvfio-user's first versions did.
     */
    @Nullable
    Waiter find(int id, int command) {
        Waiter waiter = waiters.get(id);
        return waiter == null || (command != 0 && waiter.command != command) ? null : waiter;
    }

    void remove(Waiter waiter) {
        waiters.remove(waiter.id, waiter);
    }

    /** No reply will come any more. */
    void endAll() {
        waiters.values().forEach(Waiter::end);
    }
}
