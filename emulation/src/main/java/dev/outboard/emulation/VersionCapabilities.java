package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.specs.vfiouser.VfioUser;

/**
 * What the peers of vfio-user tell each other in the JSON document of the VERSION message, as far as the server needs it.
 *
 * @param maxMsgFds how many descriptors the sender takes in one message
 * @param maxDataXferSize how much data the sender takes in one message, in bytes
 */
record VersionCapabilities(long maxMsgFds, long maxDataXferSize) {
    /** How many descriptors the server announces to take; QEMU calls more than 16 malformed. */
    static final int SERVER_MAX_MSG_FDS = 16;

    /** Every power of two from 4 KiB: mappings are made of whole pages, whatever the pages' size. */
    private static final long PAGE_SIZES = 4096;

    static VersionCapabilities parse(String json) throws ErrorReply {
        JsonReader reader = new JsonReader(json);
        reader.readDocument();
        long fds = reader.number("capabilities.max_msg_fds", VfioUser.DEFAULT_MAX_MSG_FDS);
        long size = reader.number("capabilities.max_data_xfer_size", VfioUser.DEFAULT_MAX_DATA_XFER_SIZE);
        if (fds < 0 || size <= 0) {
            throw new ErrorReply(Errno.EINVAL);
        }
        return new VersionCapabilities(fds, size);
    }

    /** The server's side, in the form that libvfio-user, SPDK and QEMU write and expect. */
    static String serverJson() {
        return "{\"capabilities\":{\"max_msg_fds\":" + SERVER_MAX_MSG_FDS + ",\"max_data_xfer_size\":"
                + VfioUser.DEFAULT_MAX_DATA_XFER_SIZE + ",\"pgsizes\":" + PAGE_SIZES + ",\"write_multiple\":true}}";
    }
}
