/**
 * PCI functions as sysfs shows them: configuration space and BARs are files. Registers alone: no interrupts, and no IOMMU
 * between the device and memory. Linux kernel documentation, PCI/sysfs-pci.rst.
 */
@NullMarked
package dev.outboard.pci.sysfs;

import org.jspecify.annotations.NullMarked;
