package dev.outboard.cli.nvme;

import dev.outboard.cli.HexDump;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.cli.NamedFile;
import dev.outboard.cli.Terminal;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.nvme.NvmeBlockDevice;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme read}. */
@Command(name = "read", description = "Reads blocks: to a file, to a pipe, or in hexadecimal to the terminal.")
final class ReadCommand implements Callable<Integer> {
    private static final long JSON_LIMIT_BYTES = 1 << 20;

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private BlockOptions blocks = new BlockOptions();

    @Option(names = "--file", paramLabel = "F", description = "The file to write them to; unless told standard output.")
    private @Nullable Path file;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        try (NvmeController controller = device.open()) {
            NvmeNamespace namespace = device.namespace(controller);
            long size = blocks.sizeBytes(namespace);
            if (file != null) {
                try (OutputStream out = new NamedFile(file).output()) {
                    copy(controller, namespace, size, out);
                }
            } else if (output.json()) {
                printJson(controller, namespace, size);
                return 0;
            } else if (Terminal.isInteractive()) {
                HexDump dump = new HexDump(System.out, blocks.lba() * namespace.blockSizeBytes());
                copy(controller, namespace, size, dump);
                dump.flush();
            } else {
                copy(controller, namespace, size, System.out);
                System.out.flush();
            }
            if (output.json()) {
                Json.print(System.out, blocks.json(controller, namespace, file));
            }
        }
        return 0;
    }

    private void printJson(NvmeController controller, NvmeNamespace namespace, long size) throws IOException {
        if (size > JSON_LIMIT_BYTES) {
            throw new IllegalArgumentException(size + " bytes are too many for a JSON document; add --file F");
        }
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        copy(controller, namespace, size, data);
        Map<String, Object> json = blocks.json(controller, namespace, file);
        json.put("data", HexFormat.of().formatHex(data.toByteArray()));
        Json.print(System.out, json);
    }

    private void copy(NvmeController controller, NvmeNamespace namespace, long size, OutputStream out)
            throws IOException {
        try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                DmaMemory buffer = disk.allocate(Math.min(size, BlockOptions.CHUNK_BYTES))) {
            for (long done = 0; done < size; done += buffer.sizeBytes()) {
                DmaMemory part = buffer.slice(0, Math.min(buffer.sizeBytes(), size - done));
                disk.read(blocks.lba() + done / namespace.blockSizeBytes(), part);
                out.write(part.segment().toArray(ValueLayout.JAVA_BYTE));
            }
        }
    }
}
