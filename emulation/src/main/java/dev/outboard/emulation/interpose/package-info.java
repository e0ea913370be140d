/** Stands between a driver and its device: what recording, traces and faults are made of. */
@NullMarked
package dev.outboard.emulation.interpose;

import org.jspecify.annotations.NullMarked;
