/** The driver of virtio block devices: {@link dev.outboard.virtio.block.VirtioBlock}. */
@NullMarked
package dev.outboard.virtio.block;

import org.jspecify.annotations.NullMarked;
