package dev.outboard.rig;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;

/** What a guest holds, given back in reverse order, once: when it is closed or, at the latest, when the JVM exits. */
final class CloseOnce implements AutoCloseable {
    private final Deque<AutoCloseable> held = new ArrayDeque<>();
    private final Thread hook = new Thread(this::closeAtExit, "rig-close");

    CloseOnce() {
        Runtime.getRuntime().addShutdownHook(hook);
    }

    synchronized <T extends AutoCloseable> T hold(T resource) {
        held.push(resource);
        return resource;
    }

    @Override
    public void close() throws IOException {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The JVM is exiting; the hook runs anyway and finds nothing left, or has come first.
        }
        closeAll();
    }

    private synchronized void closeAll() throws IOException {
        IOException failure = null;
        while (!held.isEmpty()) {
            try {
                held.pop().close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = new RigException("Not everything of the guest could be given back", e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private void closeAtExit() {
        try {
            closeAll();
        } catch (IOException e) {
            // Nobody is left to be told: the process is dead or dies with the JVM, at worst a folder stays behind.
        }
    }
}
