/** What PCI functions have in common, whichever way they are reached. */
@NullMarked
package dev.outboard.pci.function;

import org.jspecify.annotations.NullMarked;
