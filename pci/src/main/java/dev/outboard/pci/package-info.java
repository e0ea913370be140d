/**
 * PCI functions: {@link dev.outboard.pci.Pci} opens one by its address, {@link dev.outboard.pci.PciFunction} is what a
 * driver works with.
 */
@NullMarked
package dev.outboard.pci;

import org.jspecify.annotations.NullMarked;
