/** What every driver has to do with: how devices are named, how they fail, how they interrupt, what they publish. */
@NullMarked
package dev.outboard.driver;

import org.jspecify.annotations.NullMarked;
