package dev.outboard.emulation;

import dev.outboard.emulation.edu.EduModel;
import dev.outboard.emulation.edu.EduOptions;
import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.fault.FaultRule;
import dev.outboard.emulation.idio.Idio16Model;
import dev.outboard.emulation.idio.Idio16Options;
import dev.outboard.emulation.interpose.InterposerChain;
import dev.outboard.emulation.ivshmem.IvshmemModel;
import dev.outboard.emulation.ivshmem.IvshmemOptions;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.emulation.serial.SerialCardModel;
import dev.outboard.emulation.serial.SerialCardModel.Wiring;
import dev.outboard.specs.nvme.Guard;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.ProtectionInformation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/** The models that there are, by name. */
public final class Models {
    /**
     * A kind of model.
     *
     * @param name its name in addresses and on the command line
     * @param summary what it is, in a few words
     * @param options what can be said about it: each option's name, and its meaning with the default
     */
    public record Kind(String name, String summary, SequencedMap<String, String> options) {}

    private record Entry(Kind kind, Factory factory) {}

    /** Makes a model from options that were checked by name. */
    private interface Factory {
        PciModel create(ModelOptions options) throws IOException;
    }

    private static final List<Entry> ENTRIES = List.of(
            new Entry(nvmeKind(), Models::createNvme),
            new Entry(eduKind(), Models::createEdu),
            new Entry(serialKind(), Models::createSerial),
            new Entry(idio16Kind(), Models::createIdio16),
            new Entry(ivshmemKind(), Models::createIvshmem),
            new Entry(VirtioModels.blockKind(), VirtioModels::createBlock),
            new Entry(VirtioModels.netKind(), VirtioModels::createNet));

    private static final String FAULTS = "faults";
    private static final String RECORD = "record";

    private enum MetadataPlace {
        SEPARATE,
        EXTENDED
    }

    private Models() {}

    /**
     * The kinds of models.
     *
     * @return all of them
     */
    public static List<Kind> kinds() {
        return ENTRIES.stream().map(Entry::kind).toList();
    }

    /**
     * Creates a model.
     *
     * @param name its kind's name
     * @param options what it shall be
     * @return the model, to be closed when it is no longer served
     * @throws IOException if it needs something that cannot be had
     * @throws IllegalArgumentException if there is no such kind or option, or a value is wrong; the message says what
     *     there is
     */
    public static PciModel create(String name, ModelOptions options) throws IOException {
        return create(name, options, acts -> {});
    }

    /**
     * Creates a model.
     *
     * @param name its kind's name
     * @param options what it shall be
     * @param faultsReport told, when the model is closed, how often each of its fault rules has acted, if it has any
     * @return the model, to be closed when it is no longer served
     * @throws IOException if it needs something that cannot be had
     * @throws IllegalArgumentException if there is no such kind or option, or a value is wrong; the message says what
     *     there is
     */
    public static PciModel create(String name, ModelOptions options, Consumer<Map<FaultRule, Long>> faultsReport)
            throws IOException {
        Entry entry = entry(name);
        options.check("model " + name, entry.kind.options.keySet());
        Path faults = options.path(FAULTS);
        Path recording = options.path(RECORD);
        FaultInjector injector = faults == null ? null : new FaultInjector(FaultPlan.read(faults), faultsReport);
        PciModel model = entry.factory.create(options);
        try {
            Recorder recorder = recording == null
                    ? null
                    : Recorder.served(
                            recording, name, Math.max(1, model.interrupts().msixVectors()));
            if (recorder != null) {
                // The recording has what the clients saw, with the faults.
                model.interpose(injector == null ? recorder : new InterposerChain(recorder, injector));
            } else if (injector != null) {
                model.interpose(injector);
            }
            return model;
        } catch (IOException e) {
            model.close();
            throw e;
        }
    }

    /** A kind with the options of all models whose client need not share memory. */
    private static Kind kind(String name, String summary, SequencedMap<String, String> options) {
        options.put(FAULTS, "a file of fault rules, which act whoever the client is (none)");
        options.put(RECORD, "the file that all that passes is written to (none)");
        return new Kind(name, summary, options);
    }

    /** Finds a kind, or says what there is. */
    static Kind kind(String name) {
        return entry(name).kind;
    }

    private static Entry entry(String name) {
        for (Entry entry : ENTRIES) {
            if (entry.kind.name.equals(name)) {
                return entry;
            }
        }
        throw new IllegalArgumentException("there is no model \"" + name + "\"; there is "
                + String.join(", ", kinds().stream().map(Kind::name).toList()));
    }

    private static Kind nvmeKind() {
        NvmeOptions standard = NvmeOptions.DEFAULT;
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("size", "the size of each namespace (1G, or the file's)");
        options.put("block-size", "512 or 4096 (" + standard.blockSizeBytes() + ")");
        options.put("namespaces", "how many namespaces there are at first (" + standard.namespaces() + ")");
        options.put("metadata", "bytes of metadata a block: 0, 8, 16 or 64 (0)");
        options.put("metadata-place", "separate, or extended: after the data of each block (separate)");
        options.put("protection", "the type of protection information, 1 to 3; 0 is none (0)");
        options.put("guard", "bits of the guard in protection information: 16, 32 or 64 (16)");
        options.put("storage-tag", "bits of the storage tag in protection information (the fewest)");
        options.put("zone-size", "the size of a zone, for zoned namespaces; 0 is none (0)");
        options.put("max-open", "open zones at most; 0 is no limit (0)");
        options.put("max-active", "open and closed zones at most; 0 is no limit (0)");
        options.put("serial", "the serial number (" + standard.serial() + ")");
        options.put("model", "the model number (" + standard.model() + ")");
        options.put("firmware", "the firmware revision (" + standard.firmware() + ")");
        options.put("queues", "I/O queues at most (" + standard.ioQueues() + ")");
        options.put(
                "doorbell-stride", "CAP.DSTRD: doorbells are 4 << N bytes apart (" + standard.doorbellStride() + ")");
        options.put("cmb", "the size of the controller memory buffer, a power of two; 0 is none (0)");
        options.put("hmb", "the size of the host memory buffer that the controller prefers; 0 is none (0)");
        options.put("hmb-min", "the least host memory that it takes (a quarter of hmb)");
        options.put("hmb-piece", "the smallest piece of host memory that it takes; 0 is any (0)");
        options.put("hmb-pieces", "the most pieces of host memory; 0 is any number (0)");
        options.put(
                "pmr", "the size of the persistent memory region, a power of two; 0 is none (0, or the pmr-file's)");
        options.put("pmr-file", "the file that holds the persistent memory region (none: memory)");
        options.put("file", "the file that holds the namespaces (none: memory)");
        return kind("nvme", "an NVMe 2.0 controller", options);
    }

    private static PciModel createNvme(ModelOptions options) throws IOException {
        NvmeOptions standard = NvmeOptions.DEFAULT;
        Path file = options.path("file");
        int namespaces = options.number("namespaces", standard.namespaces());
        long size = file != null && Files.isRegularFile(file) && Files.size(file) > 0
                ? Files.size(file) / Math.max(1, namespaces)
                : standard.sizeBytes();
        return new NvmeModel(new NvmeOptions(
                options.sizeBytes("size", size),
                options.number("block-size", standard.blockSizeBytes()),
                namespaces,
                new NvmeOptions.Metadata(
                        options.number("metadata", 0),
                        options.choice("metadata-place", MetadataPlace.SEPARATE) == MetadataPlace.EXTENDED,
                        options.number("protection", 0),
                        protection(options)),
                new NvmeOptions.ZoneLimits(
                        options.sizeBytes("zone-size", 0),
                        options.number("max-open", 0),
                        options.number("max-active", 0)),
                options.text("serial", standard.serial()),
                options.text("model", standard.model()),
                options.text("firmware", standard.firmware()),
                options.number("queues", standard.ioQueues()),
                options.number("doorbell-stride", standard.doorbellStride()),
                options.sizeBytes("cmb", standard.controllerMemoryBytes()),
                hostMemory(options),
                persistentRegion(options),
                file));
    }

    private static ProtectionInformation protection(ModelOptions options) {
        int bits = options.number("guard", Guard.BITS_16.bits());
        for (Guard guard : Guard.values()) {
            if (guard.bits() == bits) {
                return new ProtectionInformation(guard, options.number("storage-tag", guard.smallestStorageTagBits()));
            }
        }
        throw new IllegalArgumentException("a guard has 16, 32 or 64 bits, not " + bits);
    }

    private static NvmeOptions.PersistentRegion persistentRegion(ModelOptions options) throws IOException {
        Path file = options.path("pmr-file");
        long size = options.sizeBytes("pmr", file != null && Files.isRegularFile(file) ? Files.size(file) : 0);
        if (file != null && size == 0) {
            throw new IllegalArgumentException("pmr-file=" + file + ": how large is it? say pmr=SIZE");
        }
        return new NvmeOptions.PersistentRegion(size, file);
    }

    private static NvmeOptions.HostMemoryWish hostMemory(ModelOptions options) {
        long preferred = options.sizeBytes("hmb", 0);
        long quarter = preferred / 4 / Identify.HOST_MEMORY_UNIT_BYTES * Identify.HOST_MEMORY_UNIT_BYTES;
        return new NvmeOptions.HostMemoryWish(
                preferred,
                options.sizeBytes("hmb-min", quarter),
                options.sizeBytes("hmb-piece", 0),
                options.number("hmb-pieces", 0));
    }

    private static Kind eduKind() {
        EduOptions standard = EduOptions.DEFAULT;
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put(
                "dma-mask", "the device addresses that it reaches (0x" + Long.toHexString(standard.dmaMask()) + ")");
        options.put("interrupt", "msi, or intx for a device without MSI (msi)");
        options.put("delay", "microseconds that a factorial takes, and a transfer (" + micros(standard) + ")");
        return kind("edu", "QEMU's device for teaching: factorials, DMA, interrupts", options);
    }

    private static PciModel createEdu(ModelOptions options) {
        EduOptions standard = EduOptions.DEFAULT;
        return new EduModel(new EduOptions(
                options.sizeBytes("dma-mask", standard.dmaMask()),
                options.choice("interrupt", EduOptions.Signal.MSI),
                Duration.of(options.number("delay", micros(standard)), ChronoUnit.MICROS)));
    }

    private static int micros(EduOptions options) {
        return (int) options.delay().dividedBy(ChronoUnit.MICROS.getDuration());
    }

    private static Kind serialKind() {
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("wiring", "crossed, one port to the other, or plugs, each to itself (crossed)");
        return kind("serial", "a card with two 16550A serial ports", options);
    }

    private static PciModel createSerial(ModelOptions options) {
        return new SerialCardModel(options.choice("wiring", Wiring.CROSSED));
    }

    private static Kind idio16Kind() {
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("wiring", "loopback, each output to the input of its number, or open (loopback)");
        options.put(
                "terminals",
                "a file of four bytes: other programs set inputs in the first two, and read outputs from the last two"
                        + " (none)");
        return kind("idio16", "a card with 16 isolated inputs and 16 outputs, ACCES PCI-IDIO-16", options);
    }

    private static PciModel createIdio16(ModelOptions options) throws IOException {
        return new Idio16Model(
                new Idio16Options(options.choice("wiring", Idio16Options.DEFAULT.wiring()), options.path("terminals")));
    }

    private static Kind ivshmemKind() {
        IvshmemOptions standard = IvshmemOptions.DEFAULT;
        SequencedMap<String, String> options = new LinkedHashMap<>();
        options.put("size", "the size of the memory, a power of two; with peers their server's counts (1M)");
        options.put("vectors", "how many vectors it can be rung by; 0 for ivshmem-plain (" + standard.vectors() + ")");
        options.put("file", "the file that is the memory (none: memory of its own)");
        options.put(
                "peers",
                "the socket of an ivshmem server, which has the memory and knows the peers; this one, if none is there (none)");
        return kind("ivshmem", "QEMU's device for shared memory, with a doorbell", options);
    }

    private static PciModel createIvshmem(ModelOptions options) throws IOException {
        IvshmemOptions standard = IvshmemOptions.DEFAULT;
        return new IvshmemModel(new IvshmemOptions(
                options.sizeBytes("size", standard.sizeBytes()),
                options.number("vectors", standard.vectors()),
                options.path("file"),
                options.path("peers")));
    }
}
