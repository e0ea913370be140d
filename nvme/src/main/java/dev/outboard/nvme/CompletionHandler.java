package dev.outboard.nvme;

/**
 * Told of the end of a request, exactly once, on the thread that polls or closes its queue pair.
 *
 * <p>A request that the controller will not complete ends with {@link dev.outboard.specs.nvme.Status#ABORTED_BY_HOST}:
 * because the controller was reset, is gone, could not be reset or was closed, or because the queue pair was closed. What
 * became of its blocks nobody knows then.
 */
@FunctionalInterface
public interface CompletionHandler {
    /**
     * A request is done. It may submit others to the same queue pair, but must not poll it.
     *
     * @param request the request, valid until this returns; {@link NvmeRequest#status} says whether it succeeded
     */
    void completed(NvmeRequest request);
}
