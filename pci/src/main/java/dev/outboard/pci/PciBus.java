package dev.outboard.pci;

import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.Claim;
import dev.outboard.memory.ClaimRecord;
import dev.outboard.memory.ClaimTarget;
import dev.outboard.memory.ClaimedException;
import dev.outboard.memory.Claims;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The PCI functions that the kernel knows, as {@code /sys/bus/pci} shows them. Reading it needs no privileges, runs no
 * command and touches no device.
 *
 * <p>Safe for use by several threads.
 */
public final class PciBus {
    private static final Pattern ADDRESS = Pattern.compile("[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]");
    private static final Pattern SHORT_ADDRESS = Pattern.compile("[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]");
    private static final int REVISION_BITS = 8;

    private static final String CLAIM_PREFIX = "pci:";
    /** The registers of BAR n are claimed from n times this on. No processor has that many address lines. */
    private static final long LARGEST_BAR_BYTES = 1L << 56;

    private final Path root;
    private final PciIds ids;
    private final Claims claims;

    private PciBus(Path root, Claims claims) {
        this.root = root;
        this.claims = claims;
        ids = new PciIds(root);
    }

    /**
     * The functions of this machine.
     *
     * @return the bus
     */
    public static PciBus system() {
        return new PciBus(Path.of("/"), Claims.system());
    }

    /**
     * The functions of a machine whose files are elsewhere, for tests.
     *
     * @param root where its {@code sys}, {@code proc} and {@code dev} are
     */
    static PciBus at(Path root) {
        return new PciBus(root, Claims.in(root.resolve("run/outboard/claims")));
    }

    /**
     * Every function.
     *
     * @return the functions by address; none if the machine has no PCI
     * @throws IOException if sysfs cannot be read
     */
    public List<PciDevice> devices() throws IOException {
        List<PciDevice> devices = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(pci().resolve("devices"))) {
            for (Path entry : entries) {
                try {
                    devices.add(read(entry));
                } catch (NoSuchFileException removed) {
                    // A function that was unplugged between the two looks is none any more.
                }
            }
        } catch (NoSuchFileException noPci) {
            return List.of();
        }
        devices.sort(Comparator.comparing(PciDevice::address));
        return List.copyOf(devices);
    }

    /**
     * One function.
     *
     * @param address its address: {@code 0000:03:00.0}, or {@code 03:00.0} in domain 0
     * @return the function
     * @throws DeviceException if there is none at this address
     * @throws IOException if sysfs cannot be read
     * @throws IllegalArgumentException if this is no PCI address
     */
    public PciDevice device(String address) throws IOException {
        String canonical = canonical(address);
        try {
            return read(directory(canonical));
        } catch (NoSuchFileException e) {
            throw new DeviceException(
                    "there is no PCI function " + canonical + "; outboard devices lists those here", e);
        }
    }

    /**
     * The full form of an address.
     *
     * @param address {@code 0000:03:00.0}, or {@code 03:00.0} in domain 0, in either case of letters
     * @return for example {@code 0000:03:00.0}
     * @throws IllegalArgumentException if this is no PCI address
     */
    public static String canonical(String address) {
        String lower = address.toLowerCase(Locale.ROOT);
        if (SHORT_ADDRESS.matcher(lower).matches()) {
            return "0000:" + lower;
        }
        if (!ADDRESS.matcher(lower).matches()) {
            throw new IllegalArgumentException(
                    "\"" + address + "\" is no PCI address; one looks like 0000:03:00.0 or 03:00.0");
        }
        return lower;
    }

    /**
     * What a function is called. The first call loads the list of names, if there is one.
     *
     * @param device the function
     * @return its names
     * @throws IOException if the list cannot be read
     */
    public PciNames names(PciDevice device) throws IOException {
        return ids.names(device.vendorId(), device.deviceId(), device.classCode());
    }

    private PciDevice read(Path directory) throws IOException {
        int vendor = number(directory, "vendor");
        int device = number(directory, "device");
        int subsystemVendor = number(directory, "subsystem_vendor");
        int subsystem = number(directory, "subsystem_device");
        int classAndInterface = number(directory, "class");
        int numaNode = Files.exists(directory.resolve("numa_node")) ? number(directory, "numa_node") : -1;
        String driver = linkName(directory.resolve("driver"));
        String group = linkName(directory.resolve("iommu_group"));
        return new PciDevice(
                directory.getFileName().toString(),
                vendor,
                device,
                subsystemVendor,
                subsystem,
                classAndInterface,
                number(directory, "revision") & ((1 << REVISION_BITS) - 1),
                driver,
                group == null ? OptionalInt.empty() : OptionalInt.of(Integer.parseInt(group)),
                numaNode < 0 ? OptionalInt.empty() : OptionalInt.of(numaNode),
                PciBar.parse(Files.readAllLines(directory.resolve("resource"))),
                accessPaths(directory, driver, group, classAndInterface));
    }

    private List<String> accessPaths(Path directory, @Nullable String driver, @Nullable String group, int classCode)
            throws IOException {
        if (driver == null) {
            boolean sysfs =
                    !PciDevice.isBridge(classCode) && !isLockedDown() && Files.isWritable(directory.resolve("config"));
            return sysfs ? List.of("sysfs") : List.of();
        }
        Path groupNode = root.resolve("dev/vfio").resolve(group == null ? "none" : group);
        boolean vfio = PciDevice.isVfio(driver)
                && Stream.concat(vfioNode(directory).stream(), Stream.of(groupNode))
                        .anyMatch(node -> Files.isReadable(node) && Files.isWritable(node));
        return vfio ? List.of("vfio") : List.of();
    }

    /** Whether the kernel keeps even root from the registers of devices. kernel_lockdown(7). */
    boolean isLockedDown() throws IOException {
        try {
            return !Files.readString(root.resolve("sys/kernel/security/lockdown"))
                    .contains("[none]");
        } catch (NoSuchFileException | AccessDeniedException unknown) {
            return false;
        }
    }

    /**
     * The node of a function that VFIO opens by itself rather than by its IOMMU group: {@code /dev/vfio/devices/vfioN}.
     *
     * @param canonicalAddress its full address
     * @return the node; empty if the kernel has none, or no {@code /dev/iommu}
     * @throws IOException if sysfs cannot be read
     */
    public Optional<Path> vfioNode(String canonicalAddress) throws IOException {
        return vfioNode(directory(canonicalAddress));
    }

    private Optional<Path> vfioNode(Path directory) throws IOException {
        if (!Files.exists(root.resolve("dev/iommu"))) {
            return Optional.empty();
        }
        try (DirectoryStream<Path> names = Files.newDirectoryStream(directory.resolve("vfio-dev"), "vfio*")) {
            for (Path name : names) {
                Path node = root.resolve("dev/vfio/devices").resolve(name.getFileName());
                if (Files.exists(node)) {
                    return Optional.of(node);
                }
            }
        } catch (NoSuchFileException notBound) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private static int number(Path directory, String file) throws IOException {
        String text = Files.readString(directory.resolve(file)).strip();
        try {
            return Integer.decode(text);
        } catch (NumberFormatException e) {
            throw new IOException(directory.resolve(file) + " holds \"" + text + "\", not a number", e);
        }
    }

    /** The last part of what a symbolic link leads to; null if there is none. */
    static @Nullable String linkName(Path link) throws IOException {
        if (!Files.isSymbolicLink(link)) {
            return null;
        }
        Path target = Files.readSymbolicLink(link).getFileName();
        return target == null ? null : target.toString();
    }

    /**
     * Claims a function for this process, until the claim is closed or the process ends. Who opens a function claims it.
     * The physical addresses and the I/O ports behind its BARs are claimed with it.
     *
     * @param address its address; whether it is there is not asked
     * @return the claim, of {@code pci:} and the full address
     * @throws DeviceBusyException if somebody has it, or some of its registers; says who, since when, and what to do
     * @throws IOException if claims cannot be made on this machine
     * @throws IllegalArgumentException if this is no PCI address
     */
    public Claim claim(String address) throws IOException {
        String canonical = canonical(address);
        List<ClaimTarget> targets = new ArrayList<>();
        targets.add(ClaimTarget.whole(CLAIM_PREFIX + canonical));
        for (PciBar bar : bars(canonical)) {
            addPlace(targets, bar, 0, bar.sizeBytes());
        }
        return claim(targets);
    }

    private List<PciBar> bars(String canonical) throws IOException {
        try {
            return PciBar.parse(Files.readAllLines(directory(canonical).resolve("resource")));
        } catch (NoSuchFileException nobody) {
            return List.of();
        }
    }

    /** Where the registers are for those who know no functions, but physical addresses and ports. */
    private static void addPlace(List<ClaimTarget> targets, PciBar bar, long offset, long lengthBytes) {
        // A BAR that the firmware gave no address leads nowhere.
        if (bar.address() > 0 && lengthBytes > 0) {
            String space = bar.io() ? ClaimTarget.PORTS : ClaimTarget.MEMORY;
            targets.add(ClaimTarget.range(space, bar.address() + offset, lengthBytes));
        }
    }

    /**
     * Claims some registers of a function, for tools that touch a few and are no driver.
     *
     * @param address its address; whether it is there is not asked
     * @param bar the base address register that they are behind, 0 to 5
     * @param offset the offset of the first, in bytes
     * @param lengthBytes how many bytes
     * @return the claim
     * @throws DeviceBusyException if somebody has the function, or one of these registers; says who
     * @throws IOException if claims cannot be made on this machine
     * @throws IllegalArgumentException if this is no PCI address or no such range
     */
    public Claim claimRegisters(String address, int bar, long offset, long lengthBytes) throws IOException {
        Objects.checkIndex(bar, PciConfiguration.BARS);
        if (offset < 0 || lengthBytes <= 0 || offset > LARGEST_BAR_BYTES - lengthBytes) {
            throw new IllegalArgumentException("no range of a BAR: " + lengthBytes + " bytes from " + offset);
        }
        long start = bar * LARGEST_BAR_BYTES + offset;
        String canonical = canonical(address);
        List<ClaimTarget> targets = new ArrayList<>();
        targets.add(ClaimTarget.range(CLAIM_PREFIX + canonical, start, lengthBytes));
        for (PciBar each : bars(canonical)) {
            if (each.index() == bar) {
                addPlace(targets, each, offset, lengthBytes);
            }
        }
        return claim(targets);
    }

    /** All of them, or none. */
    private Claim claim(List<ClaimTarget> targets) throws IOException {
        Claim claim = claimOne(targets.getFirst());
        try {
            for (ClaimTarget target : targets.subList(1, targets.size())) {
                claim = claim.with(claimOne(target));
            }
            return claim;
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    private Claim claimOne(ClaimTarget target) throws IOException {
        try {
            return claims.claim(target);
        } catch (ClaimedException e) {
            throw new DeviceBusyException(e);
        }
    }

    /**
     * Which functions somebody has now, or some of their registers.
     *
     * @return a claim of each, by the function's address
     * @throws IOException if the claims cannot be read
     */
    public Map<String, ClaimRecord> claims() throws IOException {
        Map<String, ClaimRecord> byAddress = new HashMap<>();
        for (ClaimRecord record : claims.list()) {
            String name = record.target().name();
            if (name.startsWith(CLAIM_PREFIX)) {
                byAddress.putIfAbsent(name.substring(CLAIM_PREFIX.length()), record);
            }
        }
        return Map.copyOf(byAddress);
    }

    /** Where the machine's files are: {@code /}. */
    Path root() {
        return root;
    }

    /** {@code /sys/bus/pci}. */
    Path pci() {
        return root.resolve("sys/bus/pci");
    }

    /**
     * The directory of a function in sysfs.
     *
     * @param canonicalAddress its full address
     * @return the directory, if there is such a function
     */
    public Path directory(String canonicalAddress) {
        return pci().resolve("devices").resolve(canonicalAddress);
    }

    /**
     * The functions that the IOMMU cannot tell from one another, and that one process has to have together.
     *
     * @param group the group's number
     * @return its functions by address
     * @throws IOException if sysfs cannot be read
     */
    public List<PciDevice> iommuGroup(int group) throws IOException {
        return devices().stream()
                .filter(device -> device.iommuGroup().equals(OptionalInt.of(group)))
                .toList();
    }
}
