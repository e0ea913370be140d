/**
 * The engine of {@code bench/compare}: two sides of one measurement, interleaved round by round on pinned processors, and
 * what they reached.
 */
@NullMarked
package dev.outboard.bench;

import org.jspecify.annotations.NullMarked;
