/** A model of an NVMe controller with one namespace. */
@NullMarked
package dev.outboard.emulation.nvme;

import org.jspecify.annotations.NullMarked;
