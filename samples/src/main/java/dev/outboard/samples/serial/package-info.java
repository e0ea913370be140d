/** A driver for cards of 16550A serial ports: I/O ports, an interrupt that ports share, a stream of bytes. */
@NullMarked
package dev.outboard.samples.serial;

import org.jspecify.annotations.NullMarked;
