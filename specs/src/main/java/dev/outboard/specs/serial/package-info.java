/** Serial ports, as in National Semiconductor's PC16550D data sheet (June 1995). */
@NullMarked
package dev.outboard.specs.serial;

import org.jspecify.annotations.NullMarked;
