package dev.outboard.cli.reg;

import dev.outboard.cli.Json;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Where the registers of a command are: behind a device's BAR, in physical memory, among the I/O ports. */
abstract class Place {
    private final List<PositionalParamSpec> parameters = new ArrayList<>();

    /** Adds the parameters that say where, before the one that says what. */
    abstract void addParameters();

    /** What a number that names a register is here: {@code OFFSET}, {@code ADDRESS}. */
    abstract String label();

    /** The widths in bits that can be accessed here, and the usual one. */
    abstract List<Integer> widths();

    abstract int usualWidth();

    /** How much a dump shows from an offset on, unless told, in bytes; null for all that there is. */
    abstract @Nullable Long usualDumpBytes(long start);

    /** Refuses what cannot be, before anything is opened. */
    void check() {}

    /**
     * Opens the registers.
     *
     * @param first the first one's offset
     * @param lengthBytes how much is accessed; where there is an end, more may be open
     */
    abstract OpenRegisters open(long first, long lengthBytes, Purpose purpose) throws IOException;

    /** What registers are opened for. */
    enum Purpose {
        READ,
        WRITE
    }

    /** Refuses to write what a driver of the kernel uses. */
    void refuseOwned(long first, long lengthBytes) throws IOException {}

    /** What a message calls it: {@code vfio:0000:03:00.0}, {@code physical memory}. */
    abstract String subject();

    /** Whether nothing of value can be lost here. */
    boolean isModel() {
        return false;
    }

    /** What every document starts with. */
    Map<String, Object> json() {
        return Json.object();
    }

    /** Adds all positional parameters to a command. */
    final void addTo(CommandSpec spec, boolean registerIsOptional, boolean takesValue) {
        addParameters();
        add(
                label(),
                registerIsOptional,
                "A number, or with --names a register's name"
                        + (registerIsOptional ? "; unless told the beginning, or all that --names defines." : "."));
        if (takesValue) {
            add("VALUE", false, "A number; for a register with a name fields too: EN=1,SHN=NORMAL.");
        }
        parameters.forEach(spec::addPositional);
        addOptions(spec);
    }

    /** Adds the options that only this place has. */
    void addOptions(CommandSpec spec) {}

    final void add(String paramLabel, boolean optional, String description) {
        parameters.add(PositionalParamSpec.builder()
                .index(Integer.toString(parameters.size()))
                .arity(optional ? "0..1" : "1")
                .required(!optional)
                .paramLabel(paramLabel)
                .type(String.class)
                .description(description)
                .build());
    }

    /** A parameter that the user gave; null for an optional one that is not there. */
    final @Nullable String parameter(String paramLabel) {
        return parameters.stream()
                .filter(each -> each.paramLabel().equals(paramLabel))
                .findFirst()
                .orElseThrow()
                .getValue();
    }

    final String required(String paramLabel) {
        String value = parameter(paramLabel);
        if (value == null) {
            throw new IllegalStateException("picocli did not set what is required");
        }
        return value;
    }

    /** The register that the user named, by a number or a name. */
    final @Nullable String register() {
        return parameter(label());
    }

    /** The value to write. */
    final String value() {
        return required("VALUE");
    }

    final void checkWidth(int widthBits) {
        if (!widths().contains(widthBits)) {
            throw new IllegalArgumentException("--width " + widthBits + ": an access is "
                    + widths().toString().replaceAll("[\\[\\]]", "").replaceFirst(", (\\d+)$", " or $1")
                    + " bits wide");
        }
    }
}
