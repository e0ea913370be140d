/** Virtio devices, and what puts them behind PCI. */
@NullMarked
package dev.outboard.emulation.virtio;

import org.jspecify.annotations.NullMarked;
