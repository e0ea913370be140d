package dev.outboard.samples.ivshmem;

import java.io.IOException;
import org.junit.jupiter.api.Tag;

/** Two models, each in a process of its own. */
@Tag("emulated")
class PeersOverModelProcessTest extends PeersContract {
    @Override
    SharedMemory open() throws IOException {
        return SharedMemory.open("model:ivshmem?vectors=" + VECTORS + "&peers=" + socket());
    }

    @Override
    SharedMemory openPeer() throws IOException {
        return open();
    }
}
