/** QEMU's device for memory that machines share, as in its docs/specs/ivshmem-spec.rst. */
@NullMarked
package dev.outboard.specs.ivshmem;

import org.jspecify.annotations.NullMarked;
