package dev.outboard.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThreadsAndLeaksTest {
    @TempDir
    Path directory;

    @Test
    void platformThreadsEachGetTheirOwnErrno() throws Exception {
        everyThreadGetsItsOwnErrno(Thread.ofPlatform().factory(), 8, 2_000);
    }

    @Test
    void virtualThreadsEachGetTheirOwnErrno() throws Exception {
        everyThreadGetsItsOwnErrno(Thread.ofVirtual().factory(), 200, 200);
    }

    @SuppressWarnings("ThreadPriorityCheck") // The yields interleave the threads, nothing depends on them.
    private static void everyThreadGetsItsOwnErrno(ThreadFactory factory, int threads, int rounds)
            throws InterruptedException, ExecutionException {
        try (ExecutorService executor = Executors.newThreadPerTaskExecutor(factory);
                Arena arena = Arena.ofShared()) {
            MemorySegment missing = arena.allocateFrom("/nowhere/at-all");
            MemorySegment throughAFile = arena.allocateFrom("/dev/null/x");
            List<Future<?>> running = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int kind = thread % 4;
                running.add(executor.submit(() -> {
                    for (int round = 0; round < rounds; round++) {
                        switch (kind) {
                            case 0 -> assertThat(Libc.close(-1)).isEqualTo(-Errno.EBADF);
                            case 1 -> assertThat(Libc.open(missing, 0, 0)).isEqualTo(-Errno.ENOENT);
                            case 2 -> assertThat(Libc.open(throughAFile, 0, 0)).isEqualTo(-Errno.ENOTDIR);
                            default -> assertThat(Libc.mmap(0, 0, 0, 0, -1, 0)).isNegative();
                        }
                        Thread.yield();
                    }
                }));
            }
            for (Future<?> future : running) {
                future.get();
            }
        }
    }

    @Test
    void aThousandRoundsLeaveNoDescriptorAndNoMapping() throws IOException {
        everythingOnce();
        long descriptors = Descriptors.open();
        long mappings = Descriptors.mappingsOf("memfd:leak");
        for (int round = 0; round < 1_000; round++) {
            everythingOnce();
        }
        assertThat(Descriptors.open()).isEqualTo(descriptors);
        assertThat(Descriptors.mappingsOf("memfd:leak")).isEqualTo(mappings).isZero();
    }

    /** What works and what fails, both must leave nothing. */
    private void everythingOnce() throws IOException {
        Path path = directory.resolve("socket");
        Path plain = directory.resolve("plain");
        Files.writeString(plain, "x");
        try (UnixServerSocket server = UnixServerSocket.listen(path);
                UnixSocket client = UnixSocket.connect(path.toString());
                UnixSocket accepted = server.accept();
                Epoll epoll = Epoll.create();
                EventFd event = EventFd.create();
                Fd memory = Fd.memfd("leak", 4096);
                Arena arena = Arena.ofConfined()) {
            memory.mmap(0, 4096, Mman.PROT_READ, Mman.MAP_SHARED, arena);
            epoll.add(event.fd(), Epoll.EPOLLIN, 1);
            event.signal();
            assertThat(epoll.await(0)).isEqualTo(1);
            client.send(arena.allocateFrom(JAVA_BYTE, (byte) 1), List.of(memory, event.fd()));
            accepted.receive(arena.allocate(8)).descriptors().forEach(Fd::close);
            UnixSocket.pair().forEach(UnixSocket::close);
            fails(() -> UnixServerSocket.listen(plain));
            fails(() -> UnixServerSocket.listen(path));
            fails(() -> UnixServerSocket.listen(directory.resolve("x".repeat(200))));
            fails(() -> UnixSocket.connect(plain.toString()));
            fails(() -> Fd.memfd("leak", -1));
            fails(() -> Fd.memfd("x".repeat(300), 1));
        }
    }

    private interface Call {
        AutoCloseable run() throws LinuxException;
    }

    private static void fails(Call call) {
        try {
            call.run();
        } catch (LinuxException expected) {
            return;
        }
        throw new AssertionError("did not fail");
    }
}
