package dev.outboard.bench;

import dev.outboard.linux.Fd;
import dev.outboard.memory.MappedFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;

/** {@code find}: bytes sought in a mapped file by {@code MappedFile.find} against Python's {@code mmap.find}. */
final class FindComparison implements Comparison {
    private static final int ROUNDS = 7;
    private static final long GIB = 1L << 30;
    private static final byte[] SOUGHT = "needle in the hay".getBytes(StandardCharsets.US_ASCII);

    /** Each line of its input is one round: it prints how many seconds it took. */
    private static final String PYTHON = """
            import json, mmap, os, sys, time
            fd = os.open(sys.argv[1], os.O_RDONLY)
            mapped = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
            sought = bytes.fromhex(sys.argv[2])
            for line in sys.stdin:
                start = time.perf_counter()
                place = mapped.find(sought, 0)
                seconds = time.perf_counter() - start
                print(json.dumps({"seconds": seconds, "place": place}), flush=True)
            """;

    @Override
    public String name() {
        return "find";
    }

    @Override
    public String summary() {
        return "bytes at the end of 1 GiB of text in memory, found by MappedFile.find, against Python's mmap.find";
    }

    @Override
    public Unit unit() {
        return Unit.MIB_PER_SECOND;
    }

    @Override
    public String peer(Settings settings) {
        Path peer = settings.peer();
        return (peer == null ? "python3" : peer.toString()) + " mmap.find";
    }

    @Override
    public List<String> cases() {
        return List.of("1G");
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path peer = settings.peer();
        try (Fd file = Fd.memfd("find", GIB);
                MappedFile mapped = MappedFile.of(file, MappedFile.Access.WRITE, 0, 0)) {
            fill(mapped.segment());
            long place = GIB - SOUGHT.length;
            mapped.putSlice(place, GIB, SOUGHT);
            String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number();
            LineConversation theirs = programs.converse(List.of(
                    peer == null ? "python3" : peer.toString(),
                    "-c",
                    PYTHON,
                    path,
                    HexFormat.of().formatHex(SOUGHT)));
            try (theirs) {
                // A round each that does not count: theirs maps its pages, ours is compiled.
                theirs.ask("round");
                rate(mapped, place);
                rate(mapped, place);
                bench.measure("1G", settings.roundsOr(ROUNDS), () -> rate(mapped, place), () -> {
                    String answer = theirs.ask("round");
                    checkPlace((long) PeerOutput.number(answer, "place"), place);
                    return GIB / PeerOutput.number(answer, "seconds") / (1 << 20);
                });
            }
        }
    }

    /** Words of small letters and blanks, so that the first letter of what is sought is not rare. */
    private static void fill(MemorySegment memory) {
        long random = 1;
        for (long at = 0; at < GIB; at++) {
            random = random * 6364136223846793005L + 1442695040888963407L;
            int letter = (int) (random >>> 33) % 27;
            memory.set(ValueLayout.JAVA_BYTE, at, (byte) (letter == 26 ? ' ' : 'a' + letter));
        }
    }

    private static double rate(MappedFile mapped, long place) throws IOException {
        long start = System.nanoTime();
        long found = mapped.find(SOUGHT, 0, Long.MAX_VALUE);
        long nanos = System.nanoTime() - start;
        checkPlace(found, place);
        return GIB * 1e9 / nanos / (1 << 20);
    }

    private static void checkPlace(long found, long place) throws IOException {
        if (found != place) {
            throw new IOException("found at " + found + ", not at " + place);
        }
    }
}
