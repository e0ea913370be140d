package dev.outboard.cli.nvme;

import dev.outboard.cli.DestroyOption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.DeviceException;
import dev.outboard.nvme.NamespaceFormat;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.specs.nvme.NamespaceCommand;
import java.io.IOException;
import java.util.Comparator;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code outboard nvme format}. */
@Command(
        name = "format",
        description = {
            "Formats a namespace: all its data are gone.",
            "What no option says stays as it is: the LBA format, and where its metadata can carry them the type and place"
                    + " of protection information, and the place of metadata."
        })
final class FormatCommand implements Callable<Integer> {
    private static final int LAST_LBA_FORMAT = 63;
    private static final int LAST_PROTECTION_TYPE = 3;

    /** How thoroughly. */
    enum SecureErase {
        NONE(NamespaceCommand.ERASE_NONE),
        USER_DATA(NamespaceCommand.ERASE_USER_DATA),
        CRYPTOGRAPHIC(NamespaceCommand.ERASE_CRYPTOGRAPHIC);

        private final int code;

        SecureErase(int code) {
            this.code = code;
        }
    }

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(
            names = "--lba-format",
            paramLabel = "N",
            description =
                    "Which of the controller's LBA formats (identify --json lists them); unless told the present one.")
    private @Nullable Integer lbaFormat;

    @Option(
            names = "--secure-erase",
            paramLabel = "HOW",
            defaultValue = "none",
            description = "none, user_data or cryptographic; unless told ${DEFAULT-VALUE}.")
    private SecureErase secureErase = SecureErase.NONE;

    @Option(
            names = "--protection",
            paramLabel = "TYPE",
            description = "The type of protection information, 1 to 3, or 0 for none; unless told the present one.")
    private @Nullable Integer protection;

    @Option(
            names = "--protection-first",
            arity = "0..1",
            fallbackValue = "true",
            paramLabel = "true|false",
            description = "Protection information comes first in the metadata, or last; unless told as at present.")
    private @Nullable Boolean protectionFirst;

    @Option(
            names = "--extended-metadata",
            arity = "0..1",
            fallbackValue = "true",
            paramLabel = "true|false",
            description = "The metadata of each block follow its data, or have a buffer of their own; unless told as at"
                    + " present.")
    private @Nullable Boolean extendedMetadata;

    @Option(
            names = "--guard",
            paramLabel = "BITS",
            description = {
                "The LBA format with blocks of the present size whose protection information has guards of so many"
                        + " bits, 16, 32 or 64, and the least metadata; instead of --lba-format, with --protection."
            })
    private @Nullable Integer guard;

    @Option(
            names = "--storage-tag",
            paramLabel = "BITS",
            description = "The same, with a storage tag of so many bits; unless told the smallest.")
    private @Nullable Integer storageTag;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private DestroyOption destroy = new DestroyOption();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        if (lbaFormat != null) {
            checkLbaFormat(lbaFormat);
        }
        if (protection != null && protection > LAST_PROTECTION_TYPE) {
            throw new IllegalArgumentException("--protection is 0 to " + LAST_PROTECTION_TYPE + ", not " + protection);
        }
        checkGuard();
        device.requireDestroy(destroy, "all data");
        try (NvmeController controller = device.open()) {
            NvmeNamespace before = device.namespace(controller);
            NamespaceFormat format = format(before);
            controller
                    .admin()
                    .withTimeout(DeviceOptions.LONG)
                    .namespaces()
                    .format(before.id(), format, secureErase.code);
            NvmeNamespace after = controller.namespace(before.id());
            if (output.json()) {
                Json.print(System.out, IdentifyJson.namespace(after));
            } else {
                System.out.println(after);
            }
        }
        return 0;
    }

    /** Refuses the number of an LBA format that no controller has. */
    static void checkLbaFormat(int index) {
        if (index > LAST_LBA_FORMAT) {
            throw new IllegalArgumentException("--lba-format is 0 to " + LAST_LBA_FORMAT + ", not " + index);
        }
    }

    private NamespaceFormat format(NvmeNamespace before) throws DeviceException {
        NvmeNamespace.Format chosen = chosen(before);
        boolean kept = before.protectionType() != 0 && chosen.canBeProtected();
        int type = protection != null ? protection : kept ? before.protectionType() : 0;
        if (type != 0 && !chosen.canBeProtected()) {
            throw new DeviceException("LBA format " + chosen.index() + " has " + chosen.metadataBytes()
                    + " bytes of metadata, and protection information takes "
                    + chosen.protection().sizeBytes() + "; choose one with as many (identify --json lists them)");
        }
        boolean first = protectionFirst != null ? protectionFirst : kept && before.isProtectionFirst();
        boolean extended =
                extendedMetadata != null ? extendedMetadata : chosen.metadataBytes() != 0 && before.hasExtendedBlocks();
        return new NamespaceFormat(chosen.index(), extended, type, type != 0 && first);
    }

    private void checkGuard() {
        boolean isAsked = guard != null || storageTag != null;
        if (isAsked && (guard == null || lbaFormat != null || protection == null || protection == 0)) {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(),
                    "--guard and --storage-tag choose the LBA format for protection information: give --guard and"
                            + " --protection, and no --lba-format");
        }
    }

    private NvmeNamespace.Format chosen(NvmeNamespace namespace) throws DeviceException {
        Integer bits = guard;
        if (bits == null) {
            int index = lbaFormat == null ? namespace.formatIndex() : lbaFormat;
            return namespace.formats().stream()
                    .filter(format -> format.index() == index)
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            "--lba-format " + index + " is none that the controller has: it has "
                                    + namespace.formats().stream()
                                            .map(NvmeNamespace.Format::index)
                                            .toList()));
        }
        return namespace.formats().stream()
                .filter(format -> format.canBeProtected()
                        && format.blockSizeBytes() == namespace.blockSizeBytes()
                        && format.protection().guard().bits() == bits
                        && (storageTag == null || format.protection().storageTagBits() == storageTag))
                .min(Comparator.comparingInt(NvmeNamespace.Format::metadataBytes)
                        .thenComparingInt(format -> format.protection().storageTagBits())
                        .thenComparingInt(NvmeNamespace.Format::index))
                .orElseThrow(() -> new DeviceException(
                        "the controller has no LBA format with blocks of " + namespace.blockSizeBytes()
                                + " bytes, guards of " + bits + " bits"
                                + (storageTag == null ? "" : " and storage tags of " + storageTag + " bits")
                                + "; identify --json lists what it has (lbafs, elbafs)"));
    }
}
