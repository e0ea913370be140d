/** What the commands do with the drivers that teach. */
@NullMarked
package dev.outboard.cli.samples;

import org.jspecify.annotations.NullMarked;
