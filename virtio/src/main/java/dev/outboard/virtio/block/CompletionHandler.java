package dev.outboard.virtio.block;

/** Told of the completion of a request, on the thread that polls its queue. */
@FunctionalInterface
public interface CompletionHandler {
    /**
     * A request is done. It may submit others to the same queue, but must not poll it.
     *
     * @param request the request, valid until this returns; {@link BlockRequest#status} says whether it succeeded
     */
    void completed(BlockRequest request);
}
