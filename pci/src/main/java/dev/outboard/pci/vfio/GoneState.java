package dev.outboard.pci.vfio;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Whether a device is gone, which it is once and for all, and who wants to know. */
final class GoneState {
    private final List<Runnable> actions = new ArrayList<>();
    private volatile @Nullable Throwable failure;

    /** Why the device is gone; null while it is there. */
    @Nullable
    Throwable failure() {
        return failure;
    }

    /** Marks the device as gone, unless it is, and runs the actions. */
    void fail(Throwable cause) {
        List<Runnable> now;
        synchronized (actions) {
            if (failure != null) {
                return;
            }
            failure = cause;
            now = List.copyOf(actions);
            actions.clear();
        }
        now.forEach(Runnable::run);
    }

    /** Runs an action when the device goes; at once if it is gone. */
    void whenFailed(Runnable action) {
        synchronized (actions) {
            if (failure == null) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }

    /** Runs none of the actions that were given. */
    void forgetActions() {
        synchronized (actions) {
            actions.clear();
        }
    }
}
