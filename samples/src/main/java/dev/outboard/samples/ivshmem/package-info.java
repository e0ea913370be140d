/** A driver for memory that machines and processes share. */
@NullMarked
package dev.outboard.samples.ivshmem;

import org.jspecify.annotations.NullMarked;
