/**
 * vhost-user: virtio devices served over a Unix socket to whoever owns the virtqueues, such as QEMU or User Mode Linux.
 * QEMU's docs/interop/vhost-user.rst.
 */
@NullMarked
package dev.outboard.virtio.vhost;

import org.jspecify.annotations.NullMarked;
