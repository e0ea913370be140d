package dev.outboard.specs.ivshmem;

/**
 * What an ivshmem server says to each of its clients over a Unix socket: messages of one little-endian number each, which
 * may bring a descriptor. Version, the client's id, the memory, then each peer's id once for each of its vectors, with
 * what to signal, the client's own among them. Later the same of peers that come; an id alone is that of a peer that
 * went. QEMU, docs/specs/ivshmem-spec.rst, The ivshmem Client-Server Protocol.
 */
public final class IvshmemProtocol {
    /** How long a message is, in bytes. */
    public static final int MESSAGE_BYTES = Long.BYTES;
    /** The version that there is. */
    public static final long VERSION = 0;
    /** What the memory's descriptor comes with. */
    public static final long SHARED_MEMORY = -1;
    /** The highest id. */
    public static final int HIGHEST_ID = 0xffff;

    private IvshmemProtocol() {}
}
