/** Loads a namespace with requests and measures what it does: the engine of {@code outboard nvme bench}. */
@NullMarked
package dev.outboard.nvme.load;

import org.jspecify.annotations.NullMarked;
