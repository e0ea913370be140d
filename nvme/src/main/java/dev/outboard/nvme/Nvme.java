package dev.outboard.nvme;

import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Opens NVMe controllers. */
public final class Nvme {
    private Nvme() {}

    /**
     * Opens a controller: resets it, enables it and identifies it and its namespaces.
     *
     * @param address its address, for example {@code "vfio:0000:03:00.0"} or {@code "model:nvme"}
     * @return the controller, ready for I/O
     * @throws IOException if it cannot be opened, or does not become ready
     */
    public static NvmeController open(String address) throws IOException {
        return open(address, NvmeSettings.DEFAULT);
    }

    /**
     * Opens a controller, as {@link #open(String)}, with settings of one's own.
     *
     * @param address its address
     * @param settings how to open it
     * @return the controller, ready for I/O
     * @throws IOException if it cannot be opened, does not become ready, or cannot be set so
     */
    public static NvmeController open(String address, NvmeSettings settings) throws IOException {
        return open(Pci.open(address), settings);
    }

    /**
     * Takes over a PCI function that is an NVMe controller: resets it, enables it and identifies it and its namespaces.
     *
     * @param function the function; it now belongs to the controller, and is closed if this fails
     * @return the controller, ready for I/O
     * @throws IOException if it is no NVMe controller, or does not become ready
     */
    public static NvmeController open(PciFunction function) throws IOException {
        return open(function, NvmeSettings.DEFAULT);
    }

    /**
     * Takes over a PCI function, as {@link #open(PciFunction)}, with settings of one's own.
     *
     * @param function the function; it now belongs to the controller, and is closed if this fails
     * @param settings how to open it
     * @return the controller, ready for I/O
     * @throws IOException if it is no NVMe controller, does not become ready, or cannot be set so
     */
    public static NvmeController open(PciFunction function, NvmeSettings settings) throws IOException {
        try {
            return new NvmeController(function, settings);
        } catch (UncheckedIOException | InternalError e) {
            function.close();
            throw ControllerAccess.failure(function, e);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }
}
