/**
 * PCI functions as sysfs shows them: configuration space and BARs are files. No interrupts;
 * DMA memory, in huge pages, where no IOMMU translates the device's addresses. Linux kernel documentation, PCI/sysfs-pci.rst.
 */
@NullMarked
package dev.outboard.pci.sysfs;

import org.jspecify.annotations.NullMarked;
