package dev.outboard.pci;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Fd;
import dev.outboard.linux.FileHolders;
import dev.outboard.memory.Claim;
import dev.outboard.pci.sysfs.SysfsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which kernel driver a PCI function is bound to, and how to change that. Changing it needs root, and is refused while
 * somebody's data is on the function, or a network interface of it is up.
 */
public final class DriverBinding {
    /** The kernel driver that gives functions to programs. */
    public static final String VFIO_PCI = "vfio-pci";
    /** No driver has this name: a function with this override has none. */
    private static final String NO_DRIVER = "none";

    private final PciBus bus;
    private final String address;
    private final ModuleLoader modules;

    /**
     * The binding of a function.
     *
     * @param bus where the function is
     * @param address its address, {@code 0000:03:00.0} or {@code 03:00.0}
     * @throws IllegalArgumentException if this is no PCI address
     */
    public DriverBinding(PciBus bus, String address) {
        this(bus, address, ModuleLoader.MODPROBE);
    }

    DriverBinding(PciBus bus, String address, ModuleLoader modules) {
        this.bus = bus;
        this.address = PciBus.canonical(address);
        this.modules = modules;
    }

    /**
     * Who drives the function now.
     *
     * @return the kernel driver's name; null if there is none
     * @throws IOException if there is no such function
     */
    public @Nullable String driver() throws IOException {
        return bus.device(address).driver();
    }

    /**
     * Makes sure that nobody's data is on the function, and nobody's connections.
     *
     * @throws DeviceBusyException if a block device of it is mounted, used as swap, or held by md, LVM or another device
     *     mapper, or a network interface of it is up; says which and where
     * @throws IOException if there is no such function
     */
    public void checkUnused() throws IOException {
        bus.device(address);
        StorageUse.refuseIfUsed(bus, address);
        NetworkUse.refuseIfUsed(bus, address);
    }

    /**
     * Gives the function to a kernel driver, which is loaded if it is a module, and to no other until {@link #release}.
     * Does nothing if that driver has it.
     *
     * @param driver the driver, for example {@link #VFIO_PCI}
     * @return who had it before; null if nobody
     * @throws DeviceBusyException if somebody's data is on it, a network interface of it is up, or a process has claimed or opened it
     * @throws IOException if it cannot be done; the function then has its former driver, if that takes it
     */
    public @Nullable String bind(String driver) throws IOException {
        PciDevice before = bus.device(address);
        if (driver.equals(before.driver())) {
            return driver;
        }
        // Nobody opens it while it changes hands.
        try (Claim _ = bus.claim(address)) {
            return rebind(before, driver);
        }
    }

    /**
     * Takes the function from its kernel driver, and keeps every other from it until {@link #release}: what the access path
     * sysfs needs.
     *
     * @return who had it before; null if nobody
     * @throws DeviceBusyException if somebody's data is on it, a network interface of it is up, or a process has claimed or opened it
     * @throws IOException if it cannot be done
     */
    public @Nullable String detach() throws IOException {
        try (Claim _ = bus.claim(address)) {
            PciDevice before = bus.device(address);
            if (bus.isLockedDown()) {
                throw new DeviceException(address + " stays with its driver: the kernel is locked down (see"
                        + " /sys/kernel/security/lockdown), and nobody could use it by sysfs; switch Secure Boot off, or"
                        + " use VFIO: outboard bind " + address + " vfio");
            }
            refuseIfHeld(before);
            checkUnused();
            takeFrom(before, NO_DRIVER);
            return before.driver();
        }
    }

    private void takeFrom(PciDevice before, String nextDriver) throws IOException {
        // Held until the old driver is gone, so that nothing is mounted in between.
        List<Fd> claims = StorageUse.claim(bus, address);
        try {
            SysfsFile.write(bus.directory(address).resolve("driver_override"), nextDriver);
            unbindFrom(before.driver());
        } finally {
            claims.forEach(Fd::close);
        }
    }

    private @Nullable String rebind(PciDevice before, String driver) throws IOException {
        refuseIfHeld(before);
        if (PciDevice.isVfio(driver)) {
            before.requireIommuGroup();
        }
        checkUnused();
        loadDriver(driver);
        takeFrom(before, driver);
        SysfsFile.write(bus.pci().resolve("drivers_probe"), address);
        String now = driver();
        if (!driver.equals(now)) {
            giveBack();
            throw new DeviceException(address + ": the kernel driver " + driver + " does not take it (now: "
                    + (now == null ? "none" : now) + "); see what dmesg says");
        }
        return before.driver();
    }

    /**
     * Gives the function back to the driver that the kernel would choose for it. Does nothing if that driver has it.
     *
     * @return who has it now; null if the kernel has no driver for it
     * @throws DeviceBusyException if a process has claimed or opened it
     * @throws IOException if it cannot be done
     */
    public @Nullable String release() throws IOException {
        bus.device(address);
        try (Claim _ = bus.claim(address)) {
            return giveBack();
        }
    }

    private @Nullable String giveBack() throws IOException {
        PciDevice before = bus.device(address);
        SysfsFile.write(bus.directory(address).resolve("driver_override"), "");
        if (before.driver() != null
                && !before.isBoundToVfio()
                && !before.driver().startsWith("uio")) {
            return before.driver();
        }
        refuseIfHeld(before);
        unbindFrom(before.driver());
        SysfsFile.write(bus.pci().resolve("drivers_probe"), address);
        String now = driver();
        Path modalias = bus.directory(address).resolve("modalias");
        if (now == null && Files.exists(modalias)) {
            // Nobody may have needed its driver so far, if it was bound by hand when the machine started.
            modules.load(Files.readString(modalias).strip());
            SysfsFile.write(bus.pci().resolve("drivers_probe"), address);
            now = driver();
        }
        return now;
    }

    /** The kernel would wait, for as long as it takes, until the process that has the function closes it. */
    private void refuseIfHeld(PciDevice device) throws IOException {
        if (!device.isBoundToVfio()) {
            return;
        }
        List<Path> nodes = new ArrayList<>();
        device.iommuGroup().ifPresent(group -> nodes.add(bus.root().resolve("dev/vfio/" + group)));
        bus.vfioNode(address).ifPresent(nodes::add);
        for (Path node : nodes) {
            List<FileHolders.Holder> holders = FileHolders.of(node);
            if (!holders.isEmpty()) {
                throw new DeviceBusyException(address + " is in use by " + holders.getFirst() + "; end that first");
            }
        }
    }

    private void loadDriver(String driver) throws IOException {
        Path directory = bus.pci().resolve("drivers").resolve(driver);
        if (!Files.exists(directory)) {
            String said = modules.load(driver);
            if (!Files.exists(directory)) {
                throw new DeviceException("the kernel has no PCI driver " + driver + ", and modprobe " + driver
                        + " brings none" + (said.isEmpty() ? "" : " (" + said + ")"));
            }
        }
    }

    private void unbindFrom(@Nullable String driver) throws IOException {
        if (driver != null) {
            SysfsFile.write(bus.pci().resolve("drivers").resolve(driver).resolve("unbind"), address);
        }
    }
}
