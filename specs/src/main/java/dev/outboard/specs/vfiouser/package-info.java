/** vfio-user: VFIO over a Unix socket, as in its protocol specification, versions 0.1 and 0.2. */
@NullMarked
package dev.outboard.specs.vfiouser;

import org.jspecify.annotations.NullMarked;
