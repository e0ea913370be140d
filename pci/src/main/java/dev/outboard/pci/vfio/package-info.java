/**
 * PCI functions as VFIO shows them: regions, interrupts that are eventfds, and DMA maps. {@link VfioFunction} is what both
 * ways have in common, {@link VfioDevice} is where they differ: ioctls of the kernel, or messages of vfio-user.
 */
@NullMarked
package dev.outboard.pci.vfio;

import org.jspecify.annotations.NullMarked;
