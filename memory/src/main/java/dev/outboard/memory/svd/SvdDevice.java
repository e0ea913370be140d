package dev.outboard.memory.svd;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a CMSIS-SVD file says of a device's registers. CMSIS-SVD 1.3.
 *
 * <p>Understood are {@code derivedFrom} of peripherals, clusters, registers, fields and enumerated values; arrays and
 * lists ({@code dim}, {@code dimIncrement}, {@code dimIndex}); nested clusters; the access rules, {@code
 * modifiedWriteValues} and {@code readAction}. A file is input from a stranger: it can define no entities and reach no
 * other file, and its size, depth and number of registers are limited.
 *
 * @param name the device's name
 * @param description what it is; may be empty
 * @param peripherals its peripherals, in the order of the file
 */
public record SvdDevice(String name, String description, List<SvdPeripheral> peripherals) {
    /** Keeps the list. */
    public SvdDevice {
        peripherals = List.copyOf(peripherals);
    }

    /**
     * Reads a file.
     *
     * @param file the file
     * @return the device
     * @throws SvdException if it is no CMSIS-SVD file; the message has the line
     * @throws IOException if it cannot be read
     */
    public static SvdDevice read(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return read(in, file.toString());
        }
    }

    /**
     * Reads a stream to its end. The caller closes it.
     *
     * @param in the stream
     * @param name what to call it in messages
     * @return the device
     * @throws SvdException if it is no CMSIS-SVD file; the message has the line
     * @throws IOException if it cannot be read
     */
    public static SvdDevice read(InputStream in, String name) throws IOException {
        return new SvdReader(name).device(SvdElement.parse(in, name));
    }

    /**
     * A peripheral by its name.
     *
     * @param peripheralName its name, in any case
     * @return the peripheral, if there is one
     */
    public Optional<SvdPeripheral> find(String peripheralName) {
        return peripherals.stream()
                .filter(peripheral -> peripheral.name().equalsIgnoreCase(peripheralName))
                .findFirst();
    }
}
