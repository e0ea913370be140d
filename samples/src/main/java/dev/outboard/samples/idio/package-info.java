/** A driver for a card with isolated digital inputs and outputs: lines, and waiting for one to change. */
@NullMarked
package dev.outboard.samples.idio;

import org.jspecify.annotations.NullMarked;
