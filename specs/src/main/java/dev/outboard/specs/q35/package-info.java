/**
 * QEMU's machine "q35", as far as a device in it has to be found and reached: Intel's 3 Series chipset (data sheet 316966)
 * and ICH9 (data sheet 316972).
 */
@NullMarked
package dev.outboard.specs.q35;

import org.jspecify.annotations.NullMarked;
