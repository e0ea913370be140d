/** Register definitions from CMSIS-SVD files, and Java constants made from them. */
@NullMarked
package dev.outboard.memory.svd;

import org.jspecify.annotations.NullMarked;
