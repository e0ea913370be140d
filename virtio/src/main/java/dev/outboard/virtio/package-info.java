/**
 * Virtqueues, both sides: {@link dev.outboard.virtio.DeviceQueue} for who serves a device, and what such a device is,
 * {@link dev.outboard.virtio.VirtioDevice}, whatever transport it is behind.
 */
@NullMarked
package dev.outboard.virtio;

import org.jspecify.annotations.NullMarked;
