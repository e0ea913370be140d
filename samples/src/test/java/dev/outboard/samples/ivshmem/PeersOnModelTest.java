package dev.outboard.samples.ivshmem;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.ivshmem.IvshmemModel;
import dev.outboard.emulation.ivshmem.IvshmemOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** Two models, each on a thread of this process. */
class PeersOnModelTest extends PeersContract {
    private final List<AutoCloseable> open = new ArrayList<>();

    private SharedMemory serve() throws IOException {
        IvshmemModel model = new IvshmemModel(new IvshmemOptions(BYTES, VECTORS, null, null).withPeers(socket()));
        VfioUserServer server = VfioUserServer.start(model, directory.resolve(open.size() + ".sock"));
        open.addAll(List.of(model, server));
        return SharedMemory.open("vfio-user:" + server.path());
    }

    @Override
    SharedMemory open() throws IOException {
        return serve();
    }

    @Override
    SharedMemory openPeer() throws IOException {
        return serve();
    }

    @AfterEach
    void stop() throws Exception {
        for (AutoCloseable each : open.reversed()) {
            each.close();
        }
    }
}
