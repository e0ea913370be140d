package dev.outboard.virtio.vhost;

import dev.outboard.linux.Epoll;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.vhostuser.VhostUser;
import dev.outboard.specs.virtio.PackedRing;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.QueueAddresses;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * What a front end says of one virtqueue. It is in use while it is started, by a descriptor for kicks or by a kick in a
 * message, and enabled.
 */
final class Vring {
    private final DeviceQueue queue;
    private final Epoll epoll;
    private final long epollData;
    private final MemorySegment flags = Arena.ofAuto().allocate(ValueLayout.JAVA_SHORT);
    private int size;
    private @Nullable UserAddresses at;
    private @Nullable QueueAddresses inUse;
    private int base;
    private boolean started;
    /** What was said of it last; null if nothing was. */
    private @Nullable Boolean enabled;

    private boolean broken;
    private boolean withoutKicks;
    private @Nullable Fd kick;
    private @Nullable EventFd call;
    private @Nullable EventFd error;

    /** Where the parts are in the front end's process. */
    private record UserAddresses(long descriptors, long available, long used) {}

    /** The descriptor for kicks is waited for with this data. */
    Vring(DeviceQueue queue, Epoll epoll, long epollData) {
        this.queue = queue;
        this.epoll = epoll;
        this.epollData = epollData;
    }

    void setSize(int descriptors, int maximum) throws RefusedException {
        checkStopped();
        if (descriptors < 1 || descriptors > maximum) {
            throw new RefusedException(
                    "queue " + queue.index() + " with " + descriptors + " descriptors; it can have " + maximum);
        }
        size = descriptors;
    }

    void setBase(long position) throws RefusedException {
        checkStopped();
        base = (int) position;
    }

    private void checkStopped() throws RefusedException {
        if (queue.isEnabled()) {
            throw new RefusedException("queue " + queue.index() + " is in use and cannot be changed");
        }
    }

    void setAddresses(StructView asked) {
        at = new UserAddresses(asked.get("descriptor"), asked.get("available"), asked.get("used"));
    }

    /** Takes a descriptor for kicks; null if there is none, and the ring is to be polled. Starts the queue. */
    void setKick(@Nullable Fd fd) throws LinuxException {
        dropKick();
        withoutKicks = fd == null;
        if (fd != null) {
            try {
                // Edge-triggered, so that it need not be read: that takes time, and blocks if the front end reads, too.
                epoll.add(fd, Epoll.EPOLLIN | Epoll.EPOLLET, epollData);
            } catch (LinuxException e) {
                fd.close();
                throw e;
            }
        }
        kick = fd;
        started = true;
    }

    /** A kick came by message. */
    void start() {
        started = true;
    }

    void setCall(@Nullable EventFd event) {
        close(call);
        call = event;
        if (started) {
            // What was used before may have been told to the one before.
            signal(event);
        }
    }

    void setError(@Nullable EventFd event) {
        close(error);
        error = event;
        if (broken) {
            signal(event);
        }
    }

    void setEnabled(boolean value) {
        enabled = value;
    }

    /** Whether new requests are found by looking alone. */
    boolean isPolled() {
        return queue.isEnabled() && withoutKicks;
    }

    boolean isStarted() {
        return started;
    }

    /** Takes the queue into use, out of use or to another place, as was said. */
    void update(FrontEndMemory memory, long features) throws RefusedException {
        UserAddresses user = at;
        QueueAddresses wanted = null;
        if (started && isEnabled(features) && !broken && user != null) {
            wanted = new QueueAddresses(
                    size,
                    memory.guestAddress(user.descriptors),
                    memory.guestAddress(user.available),
                    memory.guestAddress(user.used));
        }
        if (wanted == null || !wanted.equals(inUse)) {
            disable();
            if (wanted != null) {
                inUse = wanted;
                enable(wanted, features);
            }
        }
    }

    /** Who does not know of enabling queues has them enabled. */
    private boolean isEnabled(long features) {
        Boolean said = enabled;
        return said != null ? said : (features & VhostUser.FEATURE_PROTOCOL_FEATURES) == 0;
    }

    private void enable(QueueAddresses wanted, long features) {
        boolean packed = (features & VirtioFeature.RING_PACKED) != 0;
        if (packed && base == 0 && !isFirstUsed(wanted)) {
            // What a front end that knows nothing of packed rings says of a new one: User Mode Linux.
            queue.enable(wanted, features);
        } else if (packed && base >>> Short.SIZE == 0) {
            // Some say only where the driver is: that is where the device is, too.
            queue.enable(wanted, features, base | base << Short.SIZE);
        } else {
            queue.enable(wanted, features, base);
        }
    }

    /** Whether a packed ring has been gone through: at its first descriptor with a wrap counter of 0 it has been. */
    private boolean isFirstUsed(QueueAddresses wanted) {
        return !queue.memory().read(wanted.descriptors() + PackedRing.DESCRIPTOR_FLAGS, flags)
                || (flags.get(ValueLayout.JAVA_SHORT, 0) & PackedRing.FLAG_USED) != 0;
    }

    private void disable() {
        if (queue.isEnabled()) {
            base = queue.disable();
        }
        inUse = null;
    }

    /** Stops the queue; returns where to go on. */
    int stop() throws LinuxException {
        disable();
        dropKick();
        started = false;
        broken = false;
        return base;
    }

    /** Stops the queue, which begins anew when it is started. */
    void reset() throws LinuxException {
        stop();
        base = 0;
        enabled = null;
    }

    /** Interrupts the driver. Returns false if the front end gave no descriptor for that. */
    boolean call() {
        return signal(call);
    }

    /** The queue is not used until it was stopped. Returns false if the front end gave no descriptor to tell it by. */
    boolean fail() {
        broken = true;
        inUse = null;
        return signal(error);
    }

    private static boolean signal(@Nullable EventFd event) {
        if (event == null) {
            return false;
        }
        try {
            event.signal();
        } catch (LinuxException gone) {
            // One that cannot be signalled is as good as none; the front end made it.
        }
        return true;
    }

    private void dropKick() throws LinuxException {
        Fd old = kick;
        if (old != null) {
            kick = null;
            epoll.remove(old);
            old.close();
        }
    }

    /** Ends the queue's use; nothing of the front end's remains. */
    void close() throws LinuxException {
        stop();
        close(call);
        close(error);
    }

    private static void close(@Nullable EventFd event) {
        if (event != null) {
            event.close();
        }
    }
}
