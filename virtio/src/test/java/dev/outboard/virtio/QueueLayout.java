package dev.outboard.virtio;

import dev.outboard.specs.virtio.VirtioFeature;

/** Every way in which a queue can be laid out. */
enum QueueLayout {
    SPLIT(0),
    SPLIT_INDIRECT(VirtioFeature.INDIRECT_DESC),
    SPLIT_EVENT_INDEX(VirtioFeature.EVENT_IDX),
    SPLIT_BOTH(VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX),
    PACKED(VirtioFeature.RING_PACKED),
    PACKED_INDIRECT(VirtioFeature.RING_PACKED | VirtioFeature.INDIRECT_DESC),
    PACKED_EVENT_INDEX(VirtioFeature.RING_PACKED | VirtioFeature.EVENT_IDX),
    PACKED_BOTH(VirtioFeature.RING_PACKED | VirtioFeature.INDIRECT_DESC | VirtioFeature.EVENT_IDX);

    final long features;

    QueueLayout(long features) {
        this.features = features;
    }
}
