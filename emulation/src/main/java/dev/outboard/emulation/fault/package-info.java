/** Faults by rule, for any driver on any access path: what Solaris's bofi did for its drivers. */
@NullMarked
package dev.outboard.emulation.fault;

import org.jspecify.annotations.NullMarked;
