/** QEMU's device for teaching. */
@NullMarked
package dev.outboard.emulation.edu;

import org.jspecify.annotations.NullMarked;
