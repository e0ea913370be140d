/** NVM Express, as in the base specification 2.0 and the NVM command set specification 1.0. */
@NullMarked
package dev.outboard.specs.nvme;

import org.jspecify.annotations.NullMarked;
