/** {@code outboard reg}: device registers from the shell. */
@NullMarked
package dev.outboard.cli.reg;

import org.jspecify.annotations.NullMarked;
