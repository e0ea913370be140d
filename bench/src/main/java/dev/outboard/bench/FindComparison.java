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
    /** None of these is in the text elsewhere as a whole; all of their letters are, the digit apart. */
    private static final String SENTENCE = "needle in the hay";

    private static final String LONG_SENTENCE = "a needle that is sought in the hay by one who knows all its word";

    /** Each line of its input is one round, a method and what it seeks; it prints how many seconds it took. */
    private static final String PYTHON = """
            import json, mmap, os, sys, time
            fd = os.open(sys.argv[1], os.O_RDONLY)
            mapped = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
            for line in sys.stdin:
                method, sought = line.split()
                method, sought = getattr(mapped, method), bytes.fromhex(sought)
                start = time.perf_counter()
                place = method(sought, 0)
                seconds = time.perf_counter() - start
                print(json.dumps({"seconds": seconds, "place": place}), flush=True)
            """;

    /** What the memory is filled with. */
    private enum Hay {
        /** Words of small letters and blanks, all as frequent, so that no letter of what is sought is rare. */
        TEXT,
        /** Any bytes but one. */
        RANDOM
    }

    /**
     * One search through all of the memory.
     *
     * @param name of the case
     * @param hay what is searched
     * @param sought what is not there but where it is put
     * @param present whether it is put where the search comes to its end
     * @param backwards from the end to the start
     */
    private record Search(String name, Hay hay, String sought, boolean present, boolean backwards) {
        byte[] bytes() {
            return sought.getBytes(StandardCharsets.ISO_8859_1);
        }

        long place() {
            return !present ? -1 : backwards ? 0 : GIB - sought.length();
        }

        String question() {
            return (backwards ? "rfind " : "find ") + HexFormat.of().formatHex(bytes());
        }

        double rate(MappedFile mapped) throws IOException {
            byte[] bytes = bytes();
            long start = System.nanoTime();
            long found = backwards ? mapped.rfind(bytes, 0, GIB) : mapped.find(bytes, 0, GIB);
            return rate(found, (System.nanoTime() - start) / 1e9);
        }

        double theirRate(String answer) throws IOException {
            return rate((long) PeerOutput.number(answer, "place"), PeerOutput.number(answer, "seconds"));
        }

        private double rate(long found, double seconds) throws IOException {
            if (found != place()) {
                throw new IOException("found at " + found + ", not at " + place());
            }
            return GIB / seconds / (1 << 20);
        }
    }

    private static final List<Search> SEARCHES = List.of(
            new Search("1G", Hay.TEXT, SENTENCE, true, false),
            new Search("1G rfind", Hay.TEXT, SENTENCE, true, true),
            new Search("text 1 absent", Hay.TEXT, "7", false, false),
            new Search("text 4 absent", Hay.TEXT, "hay7", false, false),
            new Search("text 16 absent", Hay.TEXT, "needle 7 the hay", false, false),
            new Search("text 64 absent", Hay.TEXT, LONG_SENTENCE, false, false),
            new Search("text 64 rfind", Hay.TEXT, LONG_SENTENCE, false, true),
            new Search("random 1 absent", Hay.RANDOM, "\0", false, false),
            new Search("random 4 absent", Hay.RANDOM, "hay\0", false, false),
            new Search("random 16", Hay.RANDOM, "\0needle in a hay", true, false),
            new Search("random 16 rfind", Hay.RANDOM, "\0needle in a hay", true, true));

    @Override
    public String name() {
        return "find";
    }

    @Override
    public String summary() {
        return "bytes at the end of 1 GiB of text or random bytes in memory, or absent, found by MappedFile.find, against"
                + " Python's mmap.find";
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
        return SEARCHES.stream().map(Search::name).toList();
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path peer = settings.peer();
        String python = peer == null ? "python3" : peer.toString();
        try (Fd file = Fd.memfd("find", GIB);
                MappedFile mapped = MappedFile.of(file, MappedFile.Access.WRITE, 0, 0)) {
            String path = "/proc/" + ProcessHandle.current().pid() + "/fd/" + file.number();
            try (LineConversation theirs = programs.converse(List.of(python, "-c", PYTHON, path))) {
                for (Hay hay : Hay.values()) {
                    List<Search> wanted = SEARCHES.stream()
                            .filter(search -> search.hay() == hay && settings.wants(search.name()))
                            .toList();
                    if (!wanted.isEmpty()) {
                        fill(mapped.segment(), hay);
                    }
                    for (Search search : wanted) {
                        measure(search, mapped, theirs, settings, bench);
                    }
                }
            }
        }
    }

    private static void measure(
            Search search, MappedFile mapped, LineConversation theirs, Settings settings, Bench bench)
            throws IOException {
        byte[] sought = search.bytes();
        byte[] before = new byte[sought.length];
        if (search.present()) {
            before = mapped.slice(search.place(), search.place() + sought.length);
            mapped.putSlice(search.place(), search.place() + sought.length, sought);
        }
        // Rounds that do not count: theirs maps its pages, ours is compiled.
        theirs.ask(search.question());
        search.rate(mapped);
        search.rate(mapped);
        bench.measure(
                search.name(),
                settings.roundsOr(ROUNDS),
                () -> search.rate(mapped),
                () -> search.theirRate(theirs.ask(search.question())));
        if (search.present()) {
            mapped.putSlice(search.place(), search.place() + sought.length, before);
        }
    }

    private static void fill(MemorySegment memory, Hay hay) {
        byte[] bytes = new byte[1 << 8];
        for (int i = 0; i < bytes.length; i++) {
            int letter = i % 27;
            bytes[i] = (byte) (hay == Hay.RANDOM ? Math.max(1, i) : letter == 26 ? ' ' : 'a' + letter);
        }
        long random = 1;
        for (long at = 0; at < GIB; at++) {
            random = random * 6364136223846793005L + 1442695040888963407L;
            memory.set(ValueLayout.JAVA_BYTE, at, bytes[(int) (random >>> 33) & 0xff]);
        }
    }
}
