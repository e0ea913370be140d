package dev.outboard.pci.qemu;

import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * The levels of the I/O APIC's inputs, one of which is watched. As with VFIO the watched pin masks itself when it fires,
 * and fires again once it is unmasked if it is still raised.
 */
final class InterruptPins implements Qtest.PinListener {
    private final BitSet raised = new BitSet();
    private @Nullable EventFd event;
    private int watched;
    private boolean masked;

    @Override
    public synchronized void changed(int number, boolean up) {
        raised.set(number, up);
        fire();
    }

    /** Signals an event when a pin is raised, or if it is. */
    synchronized void watch(int number, EventFd signalled) {
        watched = number;
        event = signalled;
        unmask();
    }

    synchronized void unwatch() {
        event = null;
    }

    synchronized void unmask() {
        masked = false;
        fire();
    }

    private void fire() {
        if (event != null && !masked && raised.get(watched)) {
            masked = true;
            try {
                event.signal();
            } catch (LinuxException e) {
                throw new AssertionError("an eventfd can be signalled while it is open", e);
            }
        }
    }
}
