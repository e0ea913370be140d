package dev.outboard.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FdTest {
    @TempDir
    Path directory;

    private final Arena arena = Arena.ofConfined();
    private String path = "";

    @BeforeEach
    void aFileOfTenBytes() throws IOException {
        Path file = directory.resolve("file");
        Files.writeString(file, "0123456789");
        path = file.toString();
    }

    @AfterEach
    void freeBuffers() {
        arena.close();
    }

    private MemorySegment bytes(String text) {
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, text.getBytes(UTF_8));
    }

    private static String text(MemorySegment segment, long length) {
        return new String(segment.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE), UTF_8);
    }

    @Test
    void readMovesThePositionAndEndsWithZero() throws IOException {
        MemorySegment buffer = arena.allocate(6);
        try (Fd fd = Fd.open(path, Fd.O_RDONLY)) {
            assertThat(text(buffer, fd.read(buffer))).isEqualTo("012345");
            assertThat(text(buffer, fd.read(buffer))).isEqualTo("6789");
            assertThat(fd.read(buffer)).isZero();
        }
    }

    @Test
    void preadLeavesThePosition() throws IOException {
        MemorySegment buffer = arena.allocate(4);
        try (Fd fd = Fd.open(path, Fd.O_RDONLY)) {
            assertThat(text(buffer, fd.pread(buffer, 3))).isEqualTo("3456");
            assertThat(text(buffer, fd.pread(buffer, 8))).isEqualTo("89");
            assertThat(fd.pread(buffer, 10)).isZero();
            assertThat(text(buffer, fd.read(buffer))).isEqualTo("0123");
        }
    }

    @Test
    void writeAndPwriteReachTheFile() throws IOException {
        try (Fd fd = Fd.open(path, Fd.O_RDWR)) {
            assertThat(fd.write(bytes("ab"))).isEqualTo(2);
            assertThat(fd.pwrite(bytes("xyz"), 8)).isEqualTo(3);
            assertThat(fd.write(bytes("c"))).isEqualTo(1);
        }
        assertThat(Path.of(path)).hasContent("abc34567xyz");
    }

    @Test
    void truncateMakesTheFileLongerAndShorter() throws IOException {
        try (Fd fd = Fd.open(path, Fd.O_RDWR)) {
            fd.truncate(4096);
            assertThat(Path.of(path)).hasSize(4096);
            fd.truncate(2);
            assertThat(Path.of(path)).hasContent("01");
        }
    }

    @Test
    void onlyARegularFileHasALength() throws IOException {
        try (Fd file = Fd.open(path, Fd.O_RDONLY);
                Fd memory = Fd.memfd("length", 12_345);
                Fd device = Fd.open("/dev/null", Fd.O_RDONLY)) {
            assertThat(file.regularFileBytes()).isEqualTo(10);
            assertThat(memory.regularFileBytes()).isEqualTo(12_345);
            assertThat(device.regularFileBytes()).isEqualTo(-1);
        }
    }

    @Test
    void openCreatesWithTheModeAsked() throws IOException {
        Path created = directory.resolve("created");
        try (Fd fd = Fd.open(created.toString(), Fd.O_CREAT | Fd.O_EXCL | Fd.O_WRONLY, 0600)) {
            assertThat(fd.name()).isEqualTo(created.toString());
            assertThat(Files.getAttribute(created, "unix:mode")).isEqualTo(0100600);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> Fd.open(created.toString(), Fd.O_CREAT | Fd.O_EXCL | Fd.O_WRONLY, 0600))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EEXIST));
        }
    }

    @Test
    void everyDescriptorIsClosedOnExec() throws IOException {
        try (Fd file = Fd.open(path, Fd.O_RDONLY);
                Fd duplicate = file.duplicate();
                Fd memory = Fd.memfd("cloexec", 4096);
                EventFd event = EventFd.create();
                UnixServerSocket server = UnixServerSocket.listen(directory.resolve("socket"));
                UnixSocket client = UnixSocket.connect(server.path().toString());
                UnixSocket accepted = server.accept()) {
            Descriptors.assertClosedOnExec(file);
            Descriptors.assertClosedOnExec(duplicate);
            Descriptors.assertClosedOnExec(memory);
            Descriptors.assertClosedOnExec(event.fd());
            Descriptors.assertClosedOnExec(server.fd());
            Descriptors.assertClosedOnExec(client.fd());
            Descriptors.assertClosedOnExec(accepted.fd());
            for (UnixSocket socket : UnixSocket.pair()) {
                Descriptors.assertClosedOnExec(socket.fd());
                socket.close();
            }
        }
    }

    @Test
    void useAfterCloseFailsWithEbadfWhateverOpensNext() throws IOException {
        Fd closed = Fd.open(path, Fd.O_RDWR);
        int number = closed.number();
        closed.close();
        try (Fd next = Fd.open(path, Fd.O_RDWR)) {
            assertThat(next.number()).isEqualTo(number);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> closed.write(bytes("x")))
                    .withMessageContaining(path)
                    .withMessageContaining("it was closed")
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBADF));
            assertThatExceptionOfType(LinuxException.class).isThrownBy(closed::number);
            assertThatExceptionOfType(LinuxException.class).isThrownBy(closed::duplicate);
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> closed.mmap(0, 4096, Mman.PROT_READ, Mman.MAP_SHARED, arena));
        }
        assertThat(Path.of(path)).hasContent("0123456789");
    }

    @Test
    void closingTwiceIsHarmlessToWhoHasTheNumberNow() throws IOException {
        Fd closed = Fd.open(path, Fd.O_RDONLY);
        closed.close();
        try (Fd next = Fd.open(path, Fd.O_RDONLY)) {
            closed.close();
            assertThat(next.read(arena.allocate(1))).isEqualTo(1);
        }
        assertThat(closed.isOpen()).isFalse();
        assertThat(closed).hasToString(path + " (closed)");
    }

    @Test
    void aDuplicateSharesThePositionAndOutlivesTheOriginal() throws IOException {
        MemorySegment buffer = arena.allocate(4);
        Fd fd = Fd.open(path, Fd.O_RDONLY);
        try (Fd duplicate = fd.duplicate()) {
            fd.read(buffer);
            fd.close();
            assertThat(text(buffer, duplicate.read(buffer))).isEqualTo("4567");
        }
    }

    @Test
    void aReadOnlyOrHeapBufferIsRefused() throws IOException {
        try (Fd fd = Fd.open(path, Fd.O_RDONLY)) {
            MemorySegment readOnly = arena.allocate(4).asReadOnly();
            assertThatIllegalArgumentException().isThrownBy(() -> fd.read(readOnly));
            assertThatIllegalArgumentException().isThrownBy(() -> fd.pread(readOnly, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> fd.read(MemorySegment.ofArray(new byte[4])));
        }
    }

    @Test
    void anIoctlThatFailsNamesItsRequest() throws IOException {
        Ioctl request = new Ioctl("TCGETS", 0x5401);
        try (Fd fd = Fd.open(path, Fd.O_RDONLY)) {
            assertThatExceptionOfType(LinuxException.class)
                    .isThrownBy(() -> fd.ioctl(request, arena.allocate(64)))
                    .withMessageStartingWith("ioctl TCGETS " + path)
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOTTY));
        }
    }

    @Test
    void anIoctlThatSucceedsFillsItsStructure() throws IOException {
        Ioctl bytesToRead = new Ioctl("FIONREAD", 0x541b);
        MemorySegment count = arena.allocate(ValueLayout.JAVA_INT);
        try (Fd fd = Fd.open(path, Fd.O_RDONLY)) {
            fd.read(arena.allocate(3));
            assertThat(fd.ioctl(bytesToRead, count)).isZero();
            assertThat(count.get(ValueLayout.JAVA_INT, 0)).isEqualTo(7);
        }
    }

    @Test
    void aSealedMemfdKeepsItsLength() throws IOException {
        try (Fd file = Fd.sealedMemfd("sealed", 8192, 0)) {
            for (long length : new long[] {0, 4096, 16384}) {
                assertThatExceptionOfType(LinuxException.class)
                        .isThrownBy(() -> file.truncate(length))
                        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EPERM));
            }
            assertThat(file.regularFileBytes()).isEqualTo(8192);
        }
    }
}
