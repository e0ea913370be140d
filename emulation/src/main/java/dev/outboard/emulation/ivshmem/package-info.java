/** QEMU's device for memory that machines share, and its server. */
@NullMarked
package dev.outboard.emulation.ivshmem;

import org.jspecify.annotations.NullMarked;
