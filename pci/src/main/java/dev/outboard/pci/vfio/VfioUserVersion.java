package dev.outboard.pci.vfio;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.linux.UnixSocket;
import dev.outboard.pci.vfio.VfioUserConnection.Reply;
import dev.outboard.specs.vfiouser.VfioUser;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The first message of a connection: versions and limits. */
final class VfioUserVersion {
    /**
     * What the server can take.
     *
     * @param descriptors how many with one message
     */
    record Limits(int descriptors) {
        static final Limits DEFAULT = new Limits(VfioUser.DEFAULT_MAX_MSG_FDS);
    }

    // One number out of a JSON document: not worth a parser.
    private static final Pattern MAX_MSG_FDS = Pattern.compile("\"max_msg_fds\"\\s*:\\s*(\\d{1,9})\\b");

    private static final String OURS = "{\"capabilities\":{\"max_msg_fds\":" + UnixSocket.MAXIMUM_DESCRIPTORS
            + ",\"max_data_xfer_size\":" + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE + "}}\0";

    private VfioUserVersion() {}

    /**
     * Agrees on a version.
     *
     * @param name the device's address, for messages
     * @param connection fresh
     * @return what the server can take
     * @throws DeviceException if the server speaks another version, or does not speak vfio-user
     */
    static Limits negotiate(String name, VfioUserConnection connection) throws DeviceException {
        byte[] json = OURS.getBytes(StandardCharsets.UTF_8);
        long head = VfioUser.VERSION_MESSAGE.byteSize();
        MemorySegment request = MemorySegment.ofArray(new byte[(int) head + json.length]);
        VfioUser.VERSION_MESSAGE
                .view(request)
                .set("major", VfioUser.VERSION_MAJOR)
                .set("minor", VfioUser.VERSION_MINOR);
        MemorySegment.copy(json, 0, request, ValueLayout.JAVA_BYTE, head, json.length);
        Reply reply;
        try {
            reply = connection.call(VfioUser.VERSION, request, List.of());
        } catch (DeviceException e) {
            throw new DeviceException(
                    name + ": who listens there is no vfio-user server of version " + VfioUser.VERSION_MAJOR + "."
                            + VfioUser.VERSION_MINOR + ", or serves another client (" + e.getMessage() + ")",
                    e);
        }
        reply.closeDescriptors();
        if (reply.body().byteSize() < head) {
            throw new DeviceException(name + ": who listens there is no vfio-user server: it answered VERSION with "
                    + reply.body().byteSize() + " bytes");
        }
        StructView version = VfioUser.VERSION_MESSAGE.view(reply.body());
        if (version.get("major") != VfioUser.VERSION_MAJOR) {
            throw new DeviceException(name + ": the server speaks vfio-user " + version.get("major") + "."
                    + version.get("minor") + ", not " + VfioUser.VERSION_MAJOR + "." + VfioUser.VERSION_MINOR);
        }
        String theirs = new String(version.trailing().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
        Matcher descriptors = MAX_MSG_FDS.matcher(theirs);
        return descriptors.find()
                ? new Limits(Math.clamp(Integer.parseInt(descriptors.group(1)), 1, UnixSocket.MAXIMUM_DESCRIPTORS))
                : Limits.DEFAULT;
    }
}
