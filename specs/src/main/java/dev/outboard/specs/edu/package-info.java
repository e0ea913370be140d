/** QEMU's device for teaching, as in its docs/specs/edu.rst. */
@NullMarked
package dev.outboard.specs.edu;

import org.jspecify.annotations.NullMarked;
