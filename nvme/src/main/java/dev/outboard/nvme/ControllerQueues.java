package dev.outboard.nvme;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.Interrupt;
import dev.outboard.driver.Waiting;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/** Which queue pairs for I/O a controller has. Guarded by the lock of its {@link NvmeController}. */
final class ControllerQueues {
    private final ControllerAccess access;
    private final AdminQueue admin;
    private final QueueInterrupts interrupts;
    private final BitSet usedIds = new BitSet();
    private final List<CommandQueue> open = new ArrayList<>();
    /** Closed, but the controller did not confirm that it is done with them: they keep their identifiers and memory. */
    private final List<CommandQueue> undeleted = new ArrayList<>();

    ControllerQueues(ControllerAccess access, AdminQueue admin) {
        this.access = access;
        this.admin = admin;
        interrupts = new QueueInterrupts(access);
        // The admin queue's.
        usedIds.set(0);
    }

    /**
     * Creates queues.
     *
     * @param most how many pairs there can be
     * @throws IllegalStateException if there are as many
     */
    CommandQueue create(
            int most, int depth, Waiting waiting, QueuePriority priority, Duration timeout, QueueOwner owner)
            throws IOException {
        int id = usedIds.nextClearBit(1);
        if (id > most) {
            DeviceAddress address = access.function().address();
            throw new IllegalStateException(
                    address + " has " + most + " queue pairs, and all are in use; close one first");
        }
        int vector = waiting.sleeps() ? interrupts.enable(id, most) : 0;
        Interrupt interrupt = waiting.sleeps() ? interrupts.at(vector) : null;
        CommandQueue commands = new CommandQueue(access, id, depth, interrupt, waiting, priority, timeout, owner);
        try {
            admin.createQueues(commands, vector);
        } catch (IOException e) {
            commands.freeMemory();
            throw e;
        }
        usedIds.set(id);
        open.add(commands);
        return commands;
    }

    /** Creates queues again that the controller has forgotten. */
    void createAgain(CommandQueue queue) throws IOException {
        admin.createQueues(queue, queue.isInterrupting() ? interrupts.vectorOf(queue.id()) : 0);
    }

    /** Has the controller forget queues. Returns whether it confirmed that it is done with their memory. */
    boolean delete(CommandQueue queue) {
        open.remove(queue);
        if (queue.isForgotten()) {
            usedIds.clear(queue.id());
            return true;
        }
        try {
            access.function().checkPresent();
            admin.deleteQueues(queue.id());
            usedIds.clear(queue.id());
            return true;
        } catch (IOException e) {
            undeleted.add(queue);
            return false;
        }
    }

    /** The controller was reset, and is done with what it did not confirm. */
    void freeUndeleted() {
        for (CommandQueue forgotten : undeleted) {
            usedIds.clear(forgotten.id());
            forgotten.freeMemory();
        }
        undeleted.clear();
    }

    /** Those that are open. */
    List<CommandQueue> open() {
        return List.copyOf(open);
    }
}
