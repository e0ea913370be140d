/**
 * Virtio devices: the PCI transport, both ring layouts, block and network devices, as in Virtual I/O Device (VIRTIO)
 * Version 1.2, OASIS. Sections are those of that document.
 */
@NullMarked
package dev.outboard.specs.virtio;

import org.jspecify.annotations.NullMarked;
