/** vhost-user: virtqueues shared with another process over a Unix socket, as in QEMU's docs/interop/vhost-user.rst. */
@NullMarked
package dev.outboard.specs.vhostuser;

import org.jspecify.annotations.NullMarked;
