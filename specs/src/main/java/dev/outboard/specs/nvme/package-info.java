/** NVM Express, as in the base specification 2.0, the NVM command set specification 1.0 and the zoned namespace command set
 * specification 1.1. */
@NullMarked
package dev.outboard.specs.nvme;

import org.jspecify.annotations.NullMarked;
