/** What stands between a driver and its device: {@code --faults}, {@code --record}, {@code faults}, {@code trace}. */
@NullMarked
package dev.outboard.cli.interpose;

import org.jspecify.annotations.NullMarked;
