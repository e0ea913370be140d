/** {@code outboard reg}, {@code mem} and {@code port}: registers from the shell, wherever they are. */
@NullMarked
package dev.outboard.cli.reg;

import org.jspecify.annotations.NullMarked;
