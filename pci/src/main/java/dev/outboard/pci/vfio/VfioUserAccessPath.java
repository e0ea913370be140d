package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceBusyException;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.memory.Claim;
import dev.outboard.memory.ClaimedException;
import dev.outboard.memory.Claims;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** {@code vfio-user:/run/nvme.sock}: a device that another process serves over a Unix socket. */
public final class VfioUserAccessPath implements AccessPath {
    private static final int FILE_TYPE_SHIFT = 12;
    private static final int SOCKET = 0xc;
    private static final int LONGEST_PATH = 107;
    private static final Pattern CONTROL_CHARACTERS = Pattern.compile("\\p{Cntrl}");

    /** Made by {@link java.util.ServiceLoader}. */
    public VfioUserAccessPath() {}

    @Override
    public String name() {
        return "vfio-user";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        return open(address, address);
    }

    @Override
    public PciFunction open(DeviceAddress address, DeviceAddress known) throws IOException {
        String name = known.equals(address) ? known.toString() : known + " (" + address + ")";
        // A server has one client at a time: the next would wait, and not be told for whom.
        Claim claim = claim(address.device());
        try {
            UnixSocket socket = connect(address.device());
            return new VfioFunction(known, new VfioUserDevice(name, socket), claim::close);
        } catch (IOException | RuntimeException e) {
            claim.close();
            throw e;
        }
    }

    private static Claim claim(String path) throws IOException {
        String name = path;
        try {
            name = Path.of(path).toRealPath().toString();
        } catch (IOException | InvalidPathException absent) {
            // Connecting will say what is wrong with it.
            name = name.substring(0, Math.min(name.length(), LONGEST_PATH));
        }
        try {
            return Claims.system()
                    .claim("vfio-user:" + CONTROL_CHARACTERS.matcher(name).replaceAll("?"));
        } catch (ClaimedException e) {
            throw new DeviceBusyException(e);
        }
    }

    private static UnixSocket connect(String path) throws IOException {
        try {
            return UnixSocket.connect(path);
        } catch (LinuxException e) {
            throw switch (e.errno()) {
                case Errno.ENOENT ->
                    e.withAdvice(
                            "start the device's server first, for example: outboard emulate nvme --socket " + path);
                case Errno.ECONNREFUSED ->
                    isSocket(path)
                            ? e.withAdvice("nobody listens there: start the device's server again")
                            : new DeviceException(path + " is no socket; give the path of a vfio-user server's", e);
                case Errno.EACCES ->
                    e.withAdvice("the server's user must let you write to the socket: chmod or chown it,"
                            + " and its folders must let you in");
                default -> e;
            };
        }
    }

    private static boolean isSocket(String path) throws IOException {
        return (Integer) Files.getAttribute(Path.of(path), "unix:mode") >> FILE_TYPE_SHIFT == SOCKET;
    }
}
