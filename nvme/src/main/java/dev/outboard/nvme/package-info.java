/**
 * An NVMe driver in user space. {@link dev.outboard.nvme.Nvme} opens a controller; one {@link
 * dev.outboard.nvme.QueuePair} for each thread does the I/O, by polling or by interrupt, without locks, copies or
 * allocation.
 *
 * <pre>{@code
 * try (var controller = Nvme.open("vfio:0000:03:00.0");
 *         var queue = controller.createQueuePair(128);
 *         var buffer = controller.dma().allocate(4096)) {
 *     queue.read(controller.namespace(1), 0, buffer).await(Duration.ofSeconds(1));
 * }
 * }</pre>
 */
@NullMarked
package dev.outboard.nvme;

import org.jspecify.annotations.NullMarked;
