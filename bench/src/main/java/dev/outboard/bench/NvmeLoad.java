package dev.outboard.bench;

import dev.outboard.driver.ByteSize;
import dev.outboard.nvme.load.Operation;
import java.util.ArrayList;
import java.util.List;

/**
 * A load on a namespace.
 *
 * @param operation what it does
 * @param blockSizeBytes how much each request transfers
 * @param queueDepth how many are on their way at a time
 */
record NvmeLoad(Operation operation, int blockSizeBytes, int queueDepth) {
    private static final int SMALL = 4 << 10;
    private static final int LARGE = 128 << 10;
    private static final int MIXED_DEPTH = 32;
    private static final int LARGE_DEPTH = 8;

    /** What both NVMe comparisons measure. */
    static final List<NvmeLoad> ALL = all();

    private static List<NvmeLoad> all() {
        List<NvmeLoad> loads = new ArrayList<>();
        for (Operation operation : List.of(Operation.RANDREAD, Operation.RANDWRITE)) {
            for (int depth : new int[] {1, 32, 128}) {
                loads.add(new NvmeLoad(operation, SMALL, depth));
            }
        }
        loads.add(new NvmeLoad(Operation.RANDRW, SMALL, MIXED_DEPTH));
        loads.add(new NvmeLoad(Operation.RANDREAD, LARGE, LARGE_DEPTH));
        return List.copyOf(loads);
    }

    /** For example {@code "randread qd32"}; 4K goes without saying. */
    String caseName() {
        String size = blockSizeBytes == SMALL ? "" : new ByteSize(blockSizeBytes) + " ";
        return operation + " " + size + "qd" + queueDepth;
    }
}
