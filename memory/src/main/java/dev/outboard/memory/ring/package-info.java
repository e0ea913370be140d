/**
 * Rings of records in memory that processes share: one producer and one consumer, or one producer and many consumers
 * that it never waits for ({@link dev.outboard.memory.ring.Ring}); and the kernel's ring of performance events, read in
 * the same way ({@link dev.outboard.memory.ring.PerfRing}). The layout is documented in {@code docs/rings.md} for other
 * languages.
 */
@NullMarked
package dev.outboard.memory.ring;

import org.jspecify.annotations.NullMarked;
