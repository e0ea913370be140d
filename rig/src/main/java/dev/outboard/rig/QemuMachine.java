package dev.outboard.rig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A machine to boot: a kernel, its initramfs, and the devices of {@link TestDevices} behind an IOMMU.
 *
 * <p>The guest's root is the host's file tree. What the guest writes goes to its memory and is lost, except below the
 * folders given to {@link Builder#share}, which are the host's own. Instances do not change and can boot many guests.
 */
public final class QemuMachine {
    /** The modules that a guest loads unless told otherwise. */
    public static final List<String> DEFAULT_MODULES = List.of("vfio-pci", "vfio_iommu_type1", "nvme");

    /** How often a guest is booted until its kernel does not panic. */
    public static final int BOOT_ATTEMPTS = 3;

    private final Builder settings;

    private QemuMachine(Builder settings) {
        this.settings = settings;
    }

    /**
     * Starts the description of a machine.
     *
     * @param initramfs what it boots
     * @return a builder with everything else set to its default
     * @throws RigException when {@link Accelerator#VARIABLE} asks for an accelerator that cannot be used
     */
    public static Builder with(Initramfs initramfs) throws RigException {
        return new Builder(initramfs, Accelerator.chosen());
    }

    /**
     * A machine with the defaults for everything and the cached kernel, which is fetched if there is none.
     *
     * @return the machine
     * @throws IOException when no kernel can be had
     */
    public static QemuMachine standard() throws IOException {
        return with(Initramfs.of(KernelPackage.obtain())).build();
    }

    /**
     * Boots a guest and waits until it takes commands. When its kernel panics on the way it is booted again, up to
     * {@value #BOOT_ATTEMPTS} times in all; {@link Guest#bootAttempts()} tells.
     *
     * @param limit how long that may take, 4 s on a quick machine
     * @return the guest, to be closed
     * @throws GuestTimeoutException when the guest does not come up in time
     * @throws IOException when QEMU cannot run or the guest's set-up fails
     */
    public Guest boot(Duration limit) throws IOException {
        program();
        Deadline deadline = Deadline.after(limit);
        for (int attempt = 1; ; attempt++) {
            try {
                return Guest.boot(this, attempt, deadline);
            } catch (KernelPanicException e) {
                // QEMU's translator lets a processor run code that another is patching: about one boot in fifty dies
                // of it on a busy host, when the kernel switches its static branches over.
                if (attempt == BOOT_ATTEMPTS || deadline.isOver()) {
                    throw e;
                }
            }
        }
    }

    /** The command line without the program, for a guest whose files are in this folder, QEMU's working directory. */
    List<String> arguments(Path directory) throws IOException {
        Accelerator accelerator = settings.accelerator;
        List<String> arguments = new ArrayList<>();
        add(arguments, "-accel", accelerator.option());
        String machine = "q35,kernel-irqchip=" + accelerator.interruptChip();
        if (!settings.served.isEmpty()) {
            // What serves a device reaches the guest's memory by its descriptor.
            machine += ",memory-backend=memory";
            add(arguments, "-object", "memory-backend-memfd,id=memory,share=on,size=" + settings.memoryMebibytes + "M");
        }
        add(arguments, "-machine", machine);
        add(arguments, "-cpu", accelerator.processor());
        add(arguments, "-smp", Integer.toString(settings.processors));
        add(arguments, "-m", settings.memoryMebibytes + "M");
        arguments.addAll(List.of("-nodefaults", "-display", "none", "-no-reboot", "-no-user-config"));
        add(arguments, "-kernel", settings.initramfs.kernel().image().toString());
        add(arguments, "-initrd", settings.initramfs.file().toString());
        add(
                arguments,
                "-append",
                "console=ttyS0 quiet panic=-1 intel_iommu=on iommu=pt random.trust_cpu=on " + settings.kernelOptions);
        add(arguments, "-chardev", "file,id=console,path=" + optionPath(console(directory)));
        add(arguments, "-serial", "chardev:console");
        add(arguments, "-D", trace(directory).toString());
        // Interrupt remapping must be on, or VFIO_SET_IOMMU fails with EPERM.
        add(arguments, "-device", "intel-iommu,intremap=on,caching-mode=on,device-iotlb=on");
        int slot = TestDevices.FIRST_FREE_SLOT;
        add(arguments, "-device", "virtio-serial-pci,bus=pcie.0,addr=%#x".formatted(slot++));
        fileSystem(arguments, Path.of("/"), "hostroot", "passthrough,readonly=on", slot++);
        fileSystem(arguments, directory.resolve("control"), "control", "none", slot++);
        for (int i = 0; i < settings.shares.size(); i++) {
            fileSystem(arguments, settings.shares.get(i), "share" + i, "none", slot++);
        }
        for (Port port : Port.values()) {
            add(arguments, "-chardev", "socket,id=%s,path=%s".formatted(port.id(), port.socketName()));
            if (port == Port.MONITOR) {
                add(arguments, "-mon", "mode=control,chardev=" + port.id());
            } else {
                add(arguments, "-device", "virtserialport,chardev=%s,name=outboard.%1$s".formatted(port.id()));
            }
        }
        arguments.addAll(TestDevices.create(directory));
        settings.served.forEach((address, socket) -> add(arguments, "-device", servedDevice(address, socket)));
        arguments.addAll(settings.extraArguments);
        return arguments;
    }

    /** Only as JSON can it be said where the socket is. */
    private static String servedDevice(String address, Path socket) {
        return """
                {"driver": "vfio-user-pci", "bus": "pcie.0", "addr": "%s", "socket": {"type": "unix", "path": "%s"}}""".formatted(TestDevices.slotAndFunction(address), socket);
    }

    QemuProgram program() throws RigException {
        return settings.program == null ? QemuProgram.installed() : settings.program;
    }

    String bootScript() {
        return BootScript.of(settings.initramfs.kernel(), settings.shares, settings.modules);
    }

    Path console(Path directory) {
        return settings.console == null ? directory.resolve("console.log") : settings.console;
    }

    Path trace(Path directory) {
        return settings.trace == null ? directory.resolve("trace.log") : settings.trace;
    }

    private static void fileSystem(List<String> arguments, Path path, String tag, String security, int slot) {
        add(
                arguments,
                "-fsdev",
                "local,id=%s,path=%s,multidevs=remap,security_model=%s".formatted(tag, optionPath(path), security));
        add(arguments, "-device", "virtio-9p-pci,fsdev=%1$s,mount_tag=%1$s,bus=pcie.0,addr=%2$#x".formatted(tag, slot));
    }

    /** In QEMU's options a comma is written twice. */
    private static String optionPath(Path path) {
        return path.toString().replace(",", ",,");
    }

    private static void add(List<String> arguments, String option, String value) {
        arguments.add(option);
        arguments.add(value);
    }

    /** Describes a {@link QemuMachine}. */
    public static final class Builder {
        private final Initramfs initramfs;
        private Accelerator accelerator;
        private int processors = 2;
        private int memoryMebibytes = 4096;
        private String kernelOptions = "";
        private List<String> modules = DEFAULT_MODULES;
        private List<Path> shares = List.of();
        private List<String> extraArguments = List.of();
        private Map<String, Path> served = Map.of();
        private @Nullable QemuProgram program;
        private @Nullable Path console;
        private @Nullable Path trace;

        private Builder(Initramfs initramfs, Accelerator accelerator) {
            this.initramfs = initramfs;
            this.accelerator = accelerator;
        }

        private Builder(Builder other) {
            this(other.initramfs, other.accelerator);
            processors = other.processors;
            memoryMebibytes = other.memoryMebibytes;
            kernelOptions = other.kernelOptions;
            modules = other.modules;
            shares = other.shares;
            extraArguments = other.extraArguments;
            served = other.served;
            program = other.program;
            console = other.console;
            trace = other.trace;
        }

        /**
         * Chooses what executes the guest; {@link Accelerator#chosen()} unless told.
         *
         * @param value the accelerator
         * @return this
         */
        public Builder accelerator(Accelerator value) {
            accelerator = value;
            return this;
        }

        /**
         * Sets the number of processors, 2 unless told.
         *
         * @param value how many
         * @return this
         */
        public Builder processors(int value) {
            processors = value;
            return this;
        }

        /**
         * Sets the memory, 4096 MiB unless told; the host gives it as the guest touches it.
         *
         * @param value its size in MiB
         * @return this
         */
        public Builder memoryMebibytes(int value) {
            memoryMebibytes = value;
            return this;
        }

        /**
         * Adds to the kernel's command line, for instance {@code iomem=relaxed}.
         *
         * @param value options, separated by spaces
         * @return this
         */
        public Builder kernelOptions(String value) {
            kernelOptions = value;
            return this;
        }

        /**
         * Sets the modules to load, {@link #DEFAULT_MODULES} unless told.
         *
         * @param value their names; a command can load more with {@code modprobe}
         * @return this
         */
        public Builder modules(List<String> value) {
            modules = List.copyOf(value);
            return this;
        }

        /**
         * Lets the guest write to a folder of the host, which it sees under the same path.
         *
         * @param folder the folder, created if missing
         * @return this
         * @throws IOException when it cannot be created
         */
        public Builder share(Path folder) throws IOException {
            List<Path> more = new ArrayList<>(shares);
            more.add(
                    Files.createDirectories(folder.toAbsolutePath().normalize()).toRealPath());
            shares = List.copyOf(more);
            return this;
        }

        /**
         * Chooses which QEMU runs the machine; the installed one unless told.
         *
         * @param value the program
         * @return this
         */
        public Builder program(QemuProgram value) {
            program = value;
            return this;
        }

        /**
         * Adds a device that somebody serves over vfio-user. The program has to be one {@linkplain
         * QemuProgram#withVfioUser with vfio-user}.
         *
         * @param address where it shall be in the guest, for instance {@code "0000:00:0b.0"}
         * @param socket where it is served
         * @return this
         */
        public Builder served(String address, Path socket) {
            Map<String, Path> more = new LinkedHashMap<>(served);
            more.put(address, socket.toAbsolutePath());
            served = more;
            return this;
        }

        /**
         * Keeps the console's output, the kernel's messages, in a file; else it goes with {@link Guest#directory()}.
         *
         * @param file the file to write
         * @return this
         */
        public Builder console(Path file) {
            console = file.toAbsolutePath();
            return this;
        }

        /**
         * Keeps the trace of device accesses in a file; else it goes with {@link Guest#directory()}. Nothing is traced
         * until {@link Guest#trace(boolean)} or a {@link TraceSwitch} in the guest says so.
         *
         * @param file the file to write, for {@link MmioTrace}
         * @return this
         */
        public Builder trace(Path file) {
            trace = file.toAbsolutePath();
            return this;
        }

        /**
         * Adds to QEMU's command line, for instance more devices.
         *
         * @param value the arguments
         * @return this
         */
        public Builder extraArguments(List<String> value) {
            extraArguments = List.copyOf(value);
            return this;
        }

        /**
         * Ends the description.
         *
         * @return the machine, which later changes to this builder do not touch
         */
        public QemuMachine build() {
            return new QemuMachine(new Builder(this));
        }
    }
}
