package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.NamedFile;
import dev.outboard.cli.StandardInput;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeBlockDevice;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme write}. */
@Command(name = "write", description = "Writes blocks from a file or from standard input, and flushes them.")
final class WriteCommand implements Callable<Integer> {
    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private BlockOptions blocks = new BlockOptions();

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Option(names = "--file", paramLabel = "F", description = "The file that has them; unless told standard input.")
    private @Nullable Path file;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        device.requireDestroy(destroy, blocks.from(blocks.lba()));
        try (InputStream input = file == null ? new StandardInput() : new NamedFile(file).input()) {
            // Nobody's device is held while somebody thinks about what to type.
            byte[] first = input.readNBytes(blocks.leastBytes());
            write(new SequenceInputStream(new ByteArrayInputStream(first), input));
        }
        return 0;
    }

    private void write(InputStream in) throws IOException {
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            long size = blocks.sizeBytes(namespace);
            if (file != null && Files.isRegularFile(file) && Files.size(file) < size) {
                throw tooShort(size, Files.size(file));
            }
            copy(controller, namespace, size, in);
            if (output.json()) {
                Json.print(System.out, blocks.json(controller, namespace, file));
            }
        }
    }

    private void copy(NvmeController controller, NvmeNamespace namespace, long size, InputStream in)
            throws IOException {
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory buffer = disk.allocate(Math.min(size, BlockOptions.CHUNK_BYTES))) {
            for (long done = 0; done < size; done += buffer.sizeBytes()) {
                DmaMemory part = buffer.slice(0, Math.min(buffer.sizeBytes(), size - done));
                byte[] bytes = in.readNBytes((int) part.sizeBytes());
                if (bytes.length < part.sizeBytes()) {
                    throw tooShort(size, done + bytes.length);
                }
                part.segment().copyFrom(MemorySegment.ofArray(bytes));
                disk.write(blocks.lba() + done / namespace.blockSizeBytes(), part);
            }
            disk.flush();
        }
    }

    private IllegalArgumentException tooShort(long size, long there) {
        return new IllegalArgumentException((file == null ? "standard input" : file) + " has " + there
                + " bytes, the blocks take " + size + "; say fewer --blocks");
    }
}
