/** PCI configuration space, as in the PCI local bus specification 3.0 and PCI Express base specification 5.0. */
@NullMarked
package dev.outboard.specs.pci;

import org.jspecify.annotations.NullMarked;
