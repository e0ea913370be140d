/**
 * Physical memory and I/O ports, as {@link dev.outboard.memory.Registers}, and who has them:
 * {@link dev.outboard.peripherals.PhysicalMemory}, {@link dev.outboard.peripherals.IoPorts},
 * {@link dev.outboard.peripherals.IoResources}.
 */
@NullMarked
package dev.outboard.peripherals;

import org.jspecify.annotations.NullMarked;
