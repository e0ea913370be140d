package dev.outboard.nvme;

import dev.outboard.driver.Interrupt;
import java.io.IOException;
import java.util.List;

/** The interrupts of a controller's queues. Guarded by the controller. */
final class QueueInterrupts {
    private final ControllerAccess access;
    private List<Interrupt> interrupts = List.of();

    QueueInterrupts(ControllerAccess access) {
        this.access = access;
    }

    /**
     * The vector of a queue. Enables all with the first queue that wants one: VFIO cannot add some later. Vector 0 is the
     * admin queue's, unless there is no other.
     */
    int enable(int queueId, int queueCount) throws IOException {
        if (interrupts.isEmpty()) {
            int wanted = access.has(Quirk.SINGLE_VECTOR) ? 1 : queueCount + 1;
            int vectors = Math.min(access.function().interruptVectors(), wanted);
            if (vectors < 1) {
                throw new IllegalStateException(access + " has no interrupts over this access path; poll instead");
            }
            interrupts = access.function().enableInterrupts(vectors);
        }
        if (queueId >= interrupts.size() && interrupts.size() > 1) {
            throw new IllegalStateException(access + " has " + interrupts.size()
                    + " interrupt vectors, none is left for queue " + queueId + "; poll instead");
        }
        return vectorOf(queueId);
    }

    int vectorOf(int queueId) {
        return interrupts.size() == 1 ? 0 : queueId;
    }

    Interrupt at(int vector) {
        return interrupts.get(vector);
    }
}
