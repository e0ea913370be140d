/** A card with isolated digital inputs and outputs. */
@NullMarked
package dev.outboard.emulation.idio;

import org.jspecify.annotations.NullMarked;
