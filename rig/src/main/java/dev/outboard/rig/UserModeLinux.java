package dev.outboard.rig;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * User Mode Linux: Debian's kernel of that name as an ordinary process, which boots in a second or two, runs one command
 * as its root and is gone. Its devices are virtio devices that other processes serve over vhost-user.
 *
 * <p>The root is the host's file tree, read-only but for the folders given to {@link #share}. {@code /run} is memory of
 * the guest's own. Instances do not change and can run many commands.
 *
 * <p>The program's {@code --help} has the options; virtio_uml and hostfs are described in the kernel's
 * Documentation/virt/uml.
 */
public final class UserModeLinux {
    private static final int DEFAULT_MEMORY_MEBIBYTES = 256;
    private static final int CONSOLE_LINES = 20;
    private static final Path MODULES = Path.of("/usr/lib/uml/modules");

    private final int memoryMebibytes;
    private final List<String> devices;
    private final List<Path> shares;

    private UserModeLinux(int memoryMebibytes, List<String> devices, List<Path> shares) {
        this.memoryMebibytes = memoryMebibytes;
        this.devices = List.copyOf(devices);
        this.shares = List.copyOf(shares);
    }

    /**
     * A machine of 256 MiB without devices.
     *
     * @return the machine
     * @throws RigException if the Debian package is not installed
     */
    public static UserModeLinux standard() throws RigException {
        HostProgram.USER_MODE_LINUX.find();
        return new UserModeLinux(DEFAULT_MEMORY_MEBIBYTES, List.of(), List.of());
    }

    /**
     * The same machine with other memory.
     *
     * @param value its size in MiB
     * @return the changed machine
     */
    public UserModeLinux memoryMebibytes(int value) {
        return new UserModeLinux(value, devices, shares);
    }

    /**
     * The same machine with one more device, which a vhost-user back end serves.
     *
     * @param socket where the back end listens
     * @param deviceId what the device is, a virtio device id: 1 for a network card, 2 for a block device
     * @return the changed machine
     */
    public UserModeLinux device(Path socket, int deviceId) {
        List<String> more = new ArrayList<>(devices);
        more.add("virtio_uml.device=%s:%d".formatted(socket.toAbsolutePath(), deviceId));
        return new UserModeLinux(memoryMebibytes, more, shares);
    }

    /**
     * The same machine, which may write to a folder of the host; it sees it under the same path.
     *
     * @param folder a folder that is there
     * @return the changed machine
     * @throws IOException if it is not there
     */
    public UserModeLinux share(Path folder) throws IOException {
        List<Path> more = new ArrayList<>(shares);
        more.add(folder.toRealPath());
        return new UserModeLinux(memoryMebibytes, devices, more);
    }

    /**
     * Boots, runs a command as root, and powers off. The function {@code load MODULE…} loads modules of this kernel, in
     * a {@linkplain GuestCommand#script script} too.
     *
     * @param command what to run
     * @param limit how long all of it may take
     * @return what came of the command
     * @throws GuestTimeoutException if it did not end in time
     * @throws IOException if the kernel does not run, with the end of what it said
     */
    public GuestResult run(GuestCommand command, Duration limit) throws IOException {
        Deadline deadline = Deadline.after(limit);
        try (WorkDirectory work =
                WorkDirectory.create(Path.of(System.getProperty("java.io.tmpdir")), "outboard-uml-")) {
            Path directory = work.path().toRealPath();
            Files.writeString(directory.resolve("command"), command.toScript());
            Path init = directory.resolve("init");
            Files.writeString(init, initScript(directory));
            if (!init.toFile().setExecutable(true)) {
                throw new RigException(
                        init + " cannot be made executable; set java.io.tmpdir to a folder that allows it");
            }
            Path console = directory.resolve("console");
            try (GuestProcess kernel = GuestProcess.start(
                    List.of(HostProgram.USER_MODE_LINUX.find().toString()),
                    Map.of(),
                    GuestProcess.End.TERM,
                    directory,
                    arguments(directory, init),
                    console)) {
                if (!kernel.awaitExit(deadline)) {
                    throw new GuestTimeoutException("User Mode Linux did not end within %d s; its console ends:%n%s"
                            .formatted(limit.toSeconds(), GuestProcess.tail(console, CONSOLE_LINES)));
                }
            }
            Path status = directory.resolve("status");
            if (!Files.exists(status)) {
                throw new RigException("User Mode Linux ended before the command did; its console ends:%n%s"
                        .formatted(GuestProcess.tail(console, CONSOLE_LINES)));
            }
            return new GuestResult(
                    Integer.parseInt(Files.readString(status).strip()), text(directory, "out"), text(directory, "err"));
        }
    }

    private static String text(Path directory, String file) throws IOException {
        return new String(Files.readAllBytes(directory.resolve(file)), StandardCharsets.UTF_8);
    }

    private List<String> arguments(Path directory, Path init) {
        List<String> arguments = new ArrayList<>(List.of(
                "mem=" + memoryMebibytes + "M",
                "uml_dir=" + directory + "/",
                "rootfstype=hostfs",
                "rootflags=/",
                "ro",
                "init=" + init,
                "con=null",
                "con0=fd:0,fd:1",
                "quiet",
                "random.trust_cpu=on",
                // A kernel that panics is to end, not to wait.
                "panic=-1"));
        arguments.addAll(devices);
        return arguments;
    }

    private String initScript(Path directory) {
        StringBuilder script = new StringBuilder("#!/bin/sh\nexport PATH=%s/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                .formatted(System.getProperty("java.home")));
        script.append("mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs run /run\n");
        List<Path> writable = new ArrayList<>(List.of(directory));
        writable.addAll(shares);
        for (Path folder : writable) {
            String path = Shell.quote(folder.toString());
            script.append("mount -t hostfs none %s -o %s\n".formatted(path, path));
        }
        return script.append("""
                        export HOME=/run TMPDIR=/run LANG=C.UTF-8 OUTBOARD_RIG=uml
                        mkdir -p /run/bin /run/kernel/lib
                        ln -s %s /run/kernel/lib/modules
                        printf '#!/bin/sh\\nexec modprobe -d /run/kernel -a "$@"\\n' >/run/bin/load
                        chmod +x /run/bin/load
                        PATH=/run/bin:$PATH
                        ip link set lo up
                        cd %s
                        sh command </dev/null >out 2>err
                        echo $? >status.new
                        mv status.new status
                        sync
                        echo o >/proc/sysrq-trigger
                        exec sleep 60
                        """.formatted(MODULES, Shell.quote(directory.toString())))
                .toString();
    }
}
