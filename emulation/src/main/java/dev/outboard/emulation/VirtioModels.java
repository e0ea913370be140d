package dev.outboard.emulation;

import dev.outboard.emulation.Models.Kind;
import dev.outboard.emulation.virtio.RingLink;
import dev.outboard.emulation.virtio.VirtioBlockModel;
import dev.outboard.emulation.virtio.VirtioBlockOptions;
import dev.outboard.emulation.virtio.VirtioNetModel;
import dev.outboard.emulation.virtio.VirtioNetOptions;
import dev.outboard.emulation.virtio.VirtioPciModel;
import dev.outboard.specs.virtio.VirtioFeature;
import dev.outboard.virtio.VirtioDevice;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/** The virtio devices among the models: their options, and how they are put behind PCI. */
final class VirtioModels {
    /** Whether a device has a feature. */
    private enum Offer {
        ON,
        OFF
    }

    private VirtioModels() {}

    static Kind blockKind() {
        VirtioBlockOptions standard = VirtioBlockOptions.DEFAULT;
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("size", "its size (1G, or the file's)");
        options.put("block-size", "512 to 4096 (" + standard.blockSizeBytes() + ")");
        options.put("serial", "the serial number (" + standard.serial() + ")");
        options.put("read-only", "on or off (off)");
        options.put("file", "the file that holds it (none: memory)");
        options.put("queues", "how many queues (" + standard.queues() + ")");
        addQueueOptions(options, standard.queueSize());
        return new Kind("virtio-blk", "a virtio block device", options);
    }

    private static void addQueueOptions(SequencedMap<String, String> options, int queueSize) {
        options.put("queue-size", "descriptors of a queue at most (" + queueSize + ")");
        options.put("packed", "packed rings, on or off (on)");
        options.put("indirect", "indirect descriptors, on or off (on)");
        options.put("event-index", "notifications at an index, on or off (on)");
    }

    static PciModel createBlock(ModelOptions options) throws IOException {
        VirtioBlockOptions standard = VirtioBlockOptions.DEFAULT;
        Path file = options.path("file");
        long fileBytes = file != null && Files.exists(file) ? Files.size(file) : 0;
        return behindPci(
                new VirtioBlockModel(new VirtioBlockOptions(
                        options.sizeBytes("size", fileBytes > 0 ? fileBytes : standard.sizeBytes()),
                        options.number("block-size", standard.blockSizeBytes()),
                        options.text("serial", standard.serial()),
                        options.number("queues", standard.queues()),
                        options.number("queue-size", standard.queueSize()),
                        options.choice("read-only", Offer.OFF) == Offer.ON,
                        file)),
                options);
    }

    static Kind netKind() {
        VirtioNetOptions standard = VirtioNetOptions.DEFAULT;
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("mac", "its address (" + standard.mac() + ")");
        options.put("queue-pairs", "how many pairs of queues (" + standard.queuePairs() + ")");
        options.put("mtu", "the longest payload of a frame, in bytes (" + standard.mtu() + ")");
        options.put("mergeable", "whether a frame may take several buffers, on or off (on)");
        addQueueOptions(options, standard.queueSize());
        return new Kind("virtio-net", "a virtio network card to which what it sends comes back", options);
    }

    static PciModel createNet(ModelOptions options) {
        VirtioNetOptions standard = VirtioNetOptions.DEFAULT;
        return behindPci(
                new VirtioNetModel(
                        new VirtioNetOptions(
                                options.text("mac", standard.mac()),
                                options.number("queue-pairs", standard.queuePairs()),
                                options.number("queue-size", standard.queueSize()),
                                options.number("mtu", standard.mtu()),
                                options.choice("mergeable", Offer.ON) == Offer.ON),
                        RingLink.loopback()),
                options);
    }

    private static PciModel behindPci(VirtioDevice device, ModelOptions options) {
        try {
            return new VirtioPciModel(
                    device,
                    withheld(options, "packed", VirtioFeature.RING_PACKED)
                            | withheld(options, "indirect", VirtioFeature.INDIRECT_DESC)
                            | withheld(options, "event-index", VirtioFeature.EVENT_IDX));
        } catch (IllegalArgumentException e) {
            device.close();
            throw e;
        }
    }

    private static long withheld(ModelOptions options, String name, long feature) {
        return options.choice(name, Offer.ON) == Offer.ON ? 0 : feature;
    }
}
