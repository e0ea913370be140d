/** JMH benchmarks; {@code bench/jmh} runs them. */
@NullMarked
package dev.outboard.bench.jmh;

import org.jspecify.annotations.NullMarked;
