package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import java.io.IOException;

/** Reads at full depth until it is killed. */
final class EndlessReads {
    /** Printed when the first reads were completed. */
    static final String RUNNING = "running";

    private static final int DEPTH = 32;
    private static final int BYTES = 4096;

    private EndlessReads() {}

    public static void main(String... arguments) throws IOException {
        try (NvmeController controller = Nvme.open(arguments[0]);
                QueuePair queue = controller.createQueuePair(DEPTH);
                DmaMemory buffer = controller.dma().allocate((long) DEPTH * BYTES)) {
            NvmeNamespace namespace = controller.namespaces().getFirst();
            int blocks = BYTES / namespace.blockSizeBytes();
            CompletionHandler nothing = request -> {};
            long completed = 0;
            for (long i = 0; ; i++) {
                while (queue.room() > 0) {
                    queue.read(namespace, i % 1000, blocks, buffer, (i % DEPTH) * BYTES, nothing, 0);
                    i++;
                }
                boolean before = completed >= DEPTH;
                completed += queue.poll();
                if (!before && completed >= DEPTH) {
                    System.out.println(RUNNING);
                }
            }
        }
    }
}
