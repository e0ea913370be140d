package dev.outboard.memory.ring;

import static dev.outboard.memory.ring.RingLayout.INT;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.Futex;
import dev.outboard.linux.LinuxException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * How one side of a ring wakes the other: a word of flags (who sleeps) and a futex, a counter of rings.
 *
 * <p>No wake-up is lost. The sleeper does, in this order: (1) read the counter, (2) raise its flag, (3) full fence, (4)
 * look for work, (5) if there is none, FUTEX_WAIT for as long as the counter is what (1) read. The waker does: (a)
 * publish work, (b) full fence, (c) read the flags; if one is up: (d) clear them, (e) add one to the counter, (f)
 * FUTEX_WAKE.
 *
 * <ul>
 *   <li>The fences (3) and (b) order flag and work against each other (Dekker): either (4) sees the work of (a), or (c)
 *       sees the flag of (2).
 *   <li>If (c) sees it, (e) follows. If (e) comes after (1), the kernel finds another counter at (5) and returns at
 *       once, or (f) finds the sleeper: it compares and queues under one lock.
 *   <li>If (e) came before (1), it belongs to another sleeper's flag, and (a) came before it: (1) acquires what (e)
 *       released, so (4) sees the work.
 *   <li>(d) may wipe out a flag that another sleeper raised between (c) and (d). Its (1) then came before (e), as (d)
 *       comes before (e) and (1) before (2): the first case.
 * </ul>
 *
 * A flag that stays up after its owner found work costs one needless wake-up.
 */
final class Bell {
    static final int SLEEPS = 1;
    static final int ARMED = 2;

    private static final long COUNTER = 4;

    private final RingWords words;
    private final MemorySegment memory;
    private final long flags;
    private volatile @Nullable EventFd event;

    Bell(RingWords words, long at) {
        this.words = words;
        memory = words.memory();
        flags = at;
    }

    void event(@Nullable EventFd signalled) {
        event = signalled;
    }

    /** The waker's side, after work was published. */
    void ringIfAwaited() throws LinuxException {
        VarHandle.fullFence();
        if (words.getIntOpaque(flags) != 0) {
            ring();
        }
    }

    private void ring() throws LinuxException {
        int raised = (int) INT.getAndSet(memory, flags, 0);
        var _ = (int) INT.getAndAdd(memory, flags + COUNTER, 1);
        if ((raised & SLEEPS) != 0) {
            Futex.wake(memory, flags + COUNTER, Integer.MAX_VALUE);
        }
        EventFd signalled = event;
        if ((raised & ARMED) != 0 && signalled != null) {
            signalled.signal();
        }
    }

    /** The sleeper's side, before it looks for work the last time: returns the counter to sleep on. */
    int raise(int flag) {
        int counter = (int) INT.getAcquire(memory, flags + COUNTER);
        var _ = (int) INT.getAndBitwiseOr(memory, flags, flag);
        VarHandle.fullFence();
        return counter;
    }

    void sleep(int counter, long nanos) throws LinuxException {
        Futex.await(memory, flags + COUNTER, counter, nanos);
    }
}
