/**
 * Device models in Java, and the vfio-user server that serves them to any client: {@link dev.outboard.emulation.Models}
 * creates a model, {@link dev.outboard.emulation.VfioUserServer} serves it, and the {@code model:} access path does both
 * in a process of its own.
 */
@NullMarked
package dev.outboard.emulation;

import org.jspecify.annotations.NullMarked;
