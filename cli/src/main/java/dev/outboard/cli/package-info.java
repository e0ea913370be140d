/** The command line: one class a command. */
@NullMarked
package dev.outboard.cli;

import org.jspecify.annotations.NullMarked;
