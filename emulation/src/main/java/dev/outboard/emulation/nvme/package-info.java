/** A model of an NVMe 2.0 controller. */
@NullMarked
package dev.outboard.emulation.nvme;

import org.jspecify.annotations.NullMarked;
