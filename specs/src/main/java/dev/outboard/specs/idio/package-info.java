/** A card with isolated digital inputs and outputs, as its maker's manual and Linux's driver of it describe it. */
@NullMarked
package dev.outboard.specs.idio;

import org.jspecify.annotations.NullMarked;
