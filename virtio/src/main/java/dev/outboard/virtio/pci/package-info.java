/** The driver's side of the PCI transport: from a PCI function to queues that work. */
@NullMarked
package dev.outboard.virtio.pci;

import org.jspecify.annotations.NullMarked;
