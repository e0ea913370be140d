package dev.outboard.virtio;

/**
 * Where a virtqueue is. VIRTIO 1.2, 2.6.
 *
 * @param size how many descriptors it has
 * @param descriptors the device address of the descriptor area: the table, or the packed ring
 * @param driver the device address of the driver area: the available ring, or the driver's event suppression
 * @param device the device address of the device area: the used ring, or the device's event suppression
 */
public record QueueAddresses(int size, long descriptors, long driver, long device) {}
