package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which blocks. */
final class BlockOptions {
    /** How much is transferred between two looks at the file. */
    static final long CHUNK_BYTES = 1 << 20;

    /** NVMe knows no smaller ones. NVM command set specification 1.0, figure 98, LBADS. */
    private static final int LEAST_BLOCK_BYTES = 512;

    @Option(names = "--lba", paramLabel = "N", required = true, description = "The first block.")
    private long lba;

    @Option(
            names = "--blocks",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many; unless told ${DEFAULT-VALUE}.")
    private long blocks = 1;

    private long blocks() {
        if (blocks < 1) {
            throw new IllegalArgumentException("--blocks is at least 1, not " + blocks);
        }
        return blocks;
    }

    /** Bytes that they take at least, whatever the size of a block, as far as a chunk has room for them. */
    int leastBytes() {
        return (int) Math.min(blocks(), CHUNK_BYTES / LEAST_BLOCK_BYTES) * LEAST_BLOCK_BYTES;
    }

    long lba() {
        return lba;
    }

    /** The number of bytes, if the namespace has all these blocks. */
    long sizeBytes(NvmeNamespace namespace) {
        check(namespace, "--lba", lba);
        return blocks * namespace.blockSizeBytes();
    }

    /** Refuses so many blocks from a first one on that the namespace does not have. */
    void check(NvmeNamespace namespace, String option, long first) {
        if (first < 0 || blocks() > namespace.blockCount() || first > namespace.blockCount() - blocks) {
            throw new IndexOutOfBoundsException(option + " " + first + " --blocks " + blocks + " is outside of "
                    + namespace + ": its blocks are 0 to " + (namespace.blockCount() - 1));
        }
    }

    /** These, from a first one on, as messages call them. */
    String from(long first) {
        return blocks() == 1 ? "block " + first : "blocks " + first + " to " + (first + blocks - 1);
    }

    /** What --json prints of a transfer. */
    Map<String, Object> json(NvmeController controller, NvmeNamespace namespace, @Nullable Path file) {
        Map<String, Object> json = Json.object();
        json.put("device", controller.address().toString());
        json.put("namespace", namespace.id());
        json.put("lba", lba);
        json.put("blocks", blocks);
        json.put("bytes", sizeBytes(namespace));
        if (file != null) {
            json.put("file", file.toString());
        }
        return json;
    }
}
