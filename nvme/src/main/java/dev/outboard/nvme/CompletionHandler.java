package dev.outboard.nvme;

/** Told of the completion of a request, on the thread that polls its queue pair. */
@FunctionalInterface
public interface CompletionHandler {
    /**
     * A request is done. It may submit others to the same queue pair, but must not poll it.
     *
     * @param request the request, valid until this returns; {@link NvmeRequest#status} says whether it succeeded
     */
    void completed(NvmeRequest request);
}
