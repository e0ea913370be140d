/**
 * Device registers ({@link dev.outboard.memory.Registers}), their definitions ({@link dev.outboard.memory.Register},
 * {@link dev.outboard.memory.Field}), and memory that a device reaches too ({@link dev.outboard.memory.DmaMemory}).
 */
@NullMarked
package dev.outboard.memory;

import org.jspecify.annotations.NullMarked;
