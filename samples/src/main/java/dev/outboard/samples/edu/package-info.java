/** A driver for QEMU's device for teaching: registers, an interrupt, DMA. */
@NullMarked
package dev.outboard.samples.edu;

import org.jspecify.annotations.NullMarked;
