package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.linux.Errno;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.UnixSocket;
import dev.outboard.pci.AccessPath;
import dev.outboard.pci.PciFunction;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** {@code vfio-user:/run/nvme.sock}: a device that another process serves over a Unix socket. */
public final class VfioUserAccessPath implements AccessPath {
    private static final int FILE_TYPE_SHIFT = 12;
    private static final int SOCKET = 0xc;

    /** Made by {@link java.util.ServiceLoader}. */
    public VfioUserAccessPath() {}

    @Override
    public String name() {
        return "vfio-user";
    }

    @Override
    public PciFunction open(DeviceAddress address) throws IOException {
        return new VfioFunction(address, new VfioUserDevice(address.toString(), connect(address.device())));
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
