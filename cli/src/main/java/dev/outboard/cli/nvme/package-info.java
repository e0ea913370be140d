/** {@code outboard nvme}. */
@NullMarked
package dev.outboard.cli.nvme;

import org.jspecify.annotations.NullMarked;
