/** 16550A UARTs, and cards of them. */
@NullMarked
package dev.outboard.emulation.serial;

import org.jspecify.annotations.NullMarked;
