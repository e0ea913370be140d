/** What no check of Java stands behind: for {@code dev.outboard.memory} alone, which checks each access itself. */
@NullMarked
package dev.outboard.linux.unchecked;

import org.jspecify.annotations.NullMarked;
