package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The same calls on Python's mmap object and on {@link MappedFile}, on a copy each of one file: the same results. */
@Tag("emulated")
class PythonMmapTest {
    private static final byte[] CONTENT =
            "first line\nsecond line\n\nabcabcabd\0\0the last line has no end".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path directory;

    @BeforeAll
    static void pythonIsHere() {
        boolean found = Stream.of(System.getenv("PATH").split(":"))
                .anyMatch(path -> Files.isExecutable(Path.of(path, "python3")));
        assumeTrue(found, "no Python to compare with: install the Debian package python3");
    }

    @Test
    void positionReadsAndLinesAreTheSame() throws Exception {
        compare("write", "len", "size", "tell", "closed", "readline", "tell", "readline", "readline", "readline");
        compare(
                "read",
                "readline",
                "read 4",
                "tell",
                "read 0",
                "read",
                "read",
                "readline",
                "read -7",
                "read 3",
                "tell");
        compare("read", "read_byte", "seek -1 2", "read_byte", "read_byte", "seek 3", "read -1", "seek 5", "read -");
        compare("read", "read 1000000", "read_byte", "seek 0", "read 9223372036854775807", "tell");
    }

    @Test
    void seeksAreTheSame() throws Exception {
        compare("read", "seek 0", "seek 60", "seek 61", "seek 62", "tell", "seek -1", "tell", "seek 10 0", "seek 5 1");
        compare("read", "seek 5 1", "seek -6 1", "tell", "seek -5 1", "tell", "seek 0 2", "tell", "seek -61 2", "tell");
        compare("read", "seek 1 2", "seek -62 2", "seek 9 1", "seek 9223372036854775807 1", "tell");
        compare(
                "read",
                "seek 9223372036854775807 2",
                "seek -9223372036854775808 1",
                "seek -9223372036854775808",
                "tell");
    }

    @Test
    void bytesAndSlicesAreTheSame() throws Exception {
        compare("write", "get 0", "get -1", "get 60", "get 61", "get -61", "get -62", "get 9223372036854775807");
        compare("write", "get -9223372036854775808", "put 0 255", "get 0", "put -1 0", "put 61 1", "put 1 256");
        compare("write", "put 1 -1", "put -62 1", "slice 0 5", "slice -5 -", "slice - -", "slice 5 0", "slice 70 80");
        compare(
                "read",
                "slice - - 2",
                "slice - - -1",
                "slice 10 2 -3",
                "slice -1 -100 -7",
                "slice 0 0",
                "slice 3 3 -1");
        compare(
                "read",
                "slice 0 9 0",
                "slice - - 9223372036854775807",
                "slice - - -9223372036854775807",
                "slice 60 - -60");
        compare("write", "putslice 0 3 x414243", "putslice 3 3 x", "putslice 0 3 x41", "putslice 10 0 x", "slice - -");
        compare("write", "putslice - - -30 x414243", "putslice 0 6 2 x616263", "putslice 0 6 2 x6162", "slice - -");
        compare("write", "putslice 0 6 0 x61", "putslice -3 - x787878", "putslice 100 200 x", "slice - -");
    }

    @Test
    void writesAreTheSame() throws Exception {
        compare(
                "write",
                "write x414243",
                "tell",
                "write x",
                "write_byte 90",
                "tell",
                "write_byte 256",
                "write_byte -1");
        compare(
                "write",
                "seek -2 2",
                "write x414243",
                "tell",
                "write x4142",
                "tell",
                "write x41",
                "write x",
                "write_byte 1");
        compare("write", "flush", "flush 0 61", "flush 0 62", "flush 0 0", "flush -1 1", "flush 0 -1", "flush 61 0");
        compare("write", "flush 62 0", "flush 0 9223372036854775807", "flush 9223372036854775807 9223372036854775807");
        compare(
                "copy",
                "write x414243",
                "slice 0 5",
                "flush",
                "flush 0 62",
                "resize 10",
                "put 3 4",
                "move 0 3 4",
                "get 0");
    }

    @Test
    void whatIsMappedForReadingRefusesWritesInTheSameWay() throws Exception {
        compare("read", "write x41", "write x", "write_byte 1", "put 0 1", "putslice 0 1 x41", "putslice 0 2 x41");
        compare("read", "move 0 1 2", "move 0 1 200", "resize 10", "resize -1", "flush", "flush 0 62", "put 200 1");
    }

    @Test
    void findsAreTheSame() throws Exception {
        compare("read", "find x6162", "find x616263616264", "find x00", "find x", "find x7a7a", "find x6c696e65 7");
        compare(
                "read",
                "find x6c696e65 -10",
                "find x6c696e65 -100 -50",
                "find x6c696e65 7 10",
                "find x6c 7 7",
                "find x 9 9");
        compare(
                "read",
                "find x 10 9",
                "find x 61 61",
                "find x 100 200",
                "find x -100",
                "find x0a 10 11",
                "find x0a 10 10");
        compare(
                "read",
                "rfind x6162",
                "rfind x6c696e65",
                "rfind x",
                "rfind x 3",
                "rfind x 3 5",
                "rfind x 5 3",
                "rfind x7a");
        compare(
                "read",
                "rfind x6c696e65 -10",
                "rfind x6c696e65 0 -20",
                "rfind x66 0 1",
                "rfind x66 0 0",
                "rfind x66 1");
        compare(
                "read",
                "seek 12",
                "find x66",
                "rfind x66",
                "find x6c",
                "rfind x6c",
                "tell",
                "seek 0 2",
                "find x",
                "rfind x");
        compare("read", "find x61 -9223372036854775808 9223372036854775807", "rfind x61 -9223372036854775808");
    }

    @Test
    void movesAndResizesAreTheSame() throws Exception {
        compare(
                "write",
                "move 0 6 10",
                "slice - -",
                "move 6 0 30",
                "slice - -",
                "move 0 0 61",
                "move 0 0 62",
                "move 0 1 61");
        compare("write", "move 61 61 0", "move 62 0 0", "move 0 -1 3", "move -1 0 3", "move 0 0 -1", "move 1 0 61");
        compare("write", "move 0 0 9223372036854775807", "move 9223372036854775807 0 9223372036854775807", "slice - -");
        compare(
                "write",
                "seek 50",
                "resize 20",
                "len",
                "size",
                "tell",
                "read",
                "read_byte",
                "write x41",
                "write x",
                "get 20");
        compare(
                "write",
                "seek 50",
                "resize 20",
                "write_byte 1",
                "readline",
                "seek 0 1",
                "seek -40 1",
                "find x66",
                "rfind x66");
        compare(
                "write",
                "resize 10000",
                "len",
                "size",
                "slice 50 70",
                "put 9999 7",
                "find x07",
                "resize 100",
                "slice - -");
        compare(
                "write",
                "resize -1",
                "resize -9223372036854775808",
                "len",
                "size",
                "resize 61",
                "resize 4611686018427387904");
    }

    @Test
    void closedFilesRefuseInTheSameWay() throws Exception {
        compare(
                "write",
                "close",
                "close",
                "closed",
                "len",
                "size",
                "tell",
                "get 0",
                "put 0 1",
                "slice 0 1",
                "read",
                "read 1");
        compare(
                "write",
                "close",
                "read_byte",
                "readline",
                "write x41",
                "write_byte 1",
                "seek 0",
                "find x41",
                "rfind x41");
        compare("write", "close", "move 0 0 1", "resize 10", "flush", "flush 0 1", "putslice 0 1 x41", "find x41 0 1");
        compare("read", "close", "write x41", "put 0 1", "resize 10", "move 0 0 1");
    }

    @Test
    void partsOfFilesAreTheSame() throws Exception {
        byte[] large = new byte[20_000];
        new Random(7).nextBytes(large);
        compare(
                large,
                "write 4096 0",
                "len",
                "size",
                "get 0",
                "find x41",
                "resize 100",
                "size",
                "resize 9000",
                "size",
                "get -1");
        compare(
                large,
                "write 8192 100",
                "len",
                "size",
                "put 99 1",
                "put 100 1",
                "seek 0 2",
                "tell",
                "resize 4097",
                "size");
        compare(large, "read 16384 3616", "len", "slice - -");
        compare(
                large,
                "read 16384 3617",
                "read 20480 0",
                "read 4096 -1",
                "read -4096 10",
                "read 0 20001",
                "read 0 20000");
        compare(new byte[0], "read 0 0", "len");
        compare(new byte[0], "read 0 10", "len");
    }

    @ParameterizedTest
    @ValueSource(strings = {"read", "write", "copy"})
    void anySequenceOfCallsGivesTheSame(String access) throws Exception {
        long seed = Long.getLong("outboard.seed", System.nanoTime());
        System.out.println(
                "PythonMmapTest " + access + ": seed " + seed + " (-Doutboard.seed=" + seed + " repeats it)");
        Random random = new Random(seed);
        for (int file = 0; file < 10; file++) {
            byte[] content = new byte[1 + random.nextInt(file % 2 == 0 ? 100 : 30_000)];
            for (int i = 0; i < content.length; i++) {
                content[i] = (byte) (random.nextInt(8) == 0 ? '\n' : 'a' + random.nextInt(3));
            }
            RandomCalls calls = new RandomCalls(random, content.length);
            List<String> lines =
                    new ArrayList<>(Stream.generate(calls::next).limit(400).toList());
            compare(content, access + " 0 0", lines.toArray(String[]::new));
        }
    }

    private void compare(String access, String... calls) throws Exception {
        compare(CONTENT, access + " 0 0", calls);
    }

    /** Calls that begin with an access open the file anew. */
    private void compare(byte[] content, String opened, String... calls) throws Exception {
        Path ours = Files.write(directory.resolve("ours"), content);
        Path theirs = Files.write(directory.resolve("theirs"), content);
        List<String> lines = new ArrayList<>(List.of("open FILE " + opened));
        for (String call : calls) {
            lines.add(call.matches("(read|write|copy) -?\\d+ -?\\d+") ? "open FILE " + call : call);
        }
        List<String> expected = python(lines.stream()
                .map(line -> line.replace("FILE", theirs.toString()))
                .toList());
        assertThat(expected).as("Python's answers to " + lines).hasSameSizeAs(lines);
        try (MmapCalls mapped = new MmapCalls()) {
            for (int i = 0; i < lines.size(); i++) {
                String answer = isOpen(expected, i)
                        ? mapped.answer(lines.get(i).replace("FILE", ours.toString()))
                        : "! nothing open";
                if (!answer.equals("! nothing open")) {
                    assertThat(answer)
                            .as("call %d of %s: %s, where Python says %s", i, opened, lines.get(i), expected.get(i))
                            .isEqualTo(MmapCalls.kindOf(expected.get(i)));
                }
            }
        }
        String difference = HexFormat.of().formatHex(Files.readAllBytes(ours));
        assertThat(difference).isEqualTo(HexFormat.of().formatHex(Files.readAllBytes(theirs)));
    }

    /** Whether the last opening before a call worked; it is compared itself. */
    private static boolean isOpen(List<String> expected, int index) {
        return index == 0 || !expected.get(index).contains("NoneType");
    }

    private List<String> python(List<String> lines) throws IOException, InterruptedException {
        Path script = directory.resolve("mmap_calls.py");
        try (InputStream resource = PythonMmapTest.class.getResourceAsStream("mmap_calls.py")) {
            Files.write(script, resource.readAllBytes());
        }
        Path input = Files.write(directory.resolve("calls"), lines);
        Path output = directory.resolve("answers");
        Path errors = directory.resolve("errors");
        Process process = new ProcessBuilder("python3", script.toString())
                .redirectInput(input.toFile())
                .redirectOutput(output.toFile())
                .redirectError(errors.toFile())
                .start();
        boolean ended = process.waitFor(60, TimeUnit.SECONDS);
        process.destroyForcibly();
        assertThat(ended).as("Python ends").isTrue();
        assertThat(errors).isEmptyFile();
        return Files.readAllLines(output);
    }
}
