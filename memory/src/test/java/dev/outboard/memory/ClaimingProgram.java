package dev.outboard.memory;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * A process that claims, told by lines what to do: {@code claim NAME [START LENGTH]}, {@code race NAME THREADS SEED},
 * {@code release}. Answers each with a line.
 */
final class ClaimingProgram {
    /** Every target of a race has this address, so that any two of them collide. */
    private static final long COMMON = 1_000;

    private final Claims claims;
    private final List<Claim> held = new ArrayList<>();

    private ClaimingProgram(Claims claims) {
        this.claims = claims;
    }

    public static void main(String[] arguments) throws Exception {
        ClaimingProgram program = new ClaimingProgram(Claims.in(Path.of(arguments[0])));
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                System.out.println(program.answer(line.split(" ", -1)));
            }
        }
    }

    private String answer(String[] words) throws Exception {
        return switch (words[0]) {
            case "claim" -> claim(words);
            case "race" -> race(words[1], Integer.parseInt(words[2]), Long.parseLong(words[3]));
            case "release" -> {
                held.forEach(Claim::close);
                held.clear();
                yield "released";
            }
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private String claim(String[] words) throws IOException {
        try {
            held.add(
                    words.length == 2
                            ? claims.claim(words[1])
                            : claims.claim(words[1], Long.parseLong(words[2]), Long.parseLong(words[3])));
            return "claimed";
        } catch (ClaimedException e) {
            return "refused: " + e.getMessage();
        }
    }

    private String race(String name, int threads, long seed) throws Exception {
        Random random = new Random(seed);
        CyclicBarrier start = new CyclicBarrier(threads);
        try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
            List<Future<@Nullable Claim>> running = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                long before = random.nextLong(COMMON);
                ClaimTarget target = random.nextBoolean()
                        ? ClaimTarget.whole(name)
                        : ClaimTarget.range(name, COMMON - before, before + 1 + random.nextLong(COMMON));
                running.add(executor.submit(() -> {
                    start.await();
                    try {
                        return claims.claim(target);
                    } catch (ClaimedException e) {
                        return null;
                    }
                }));
            }
            for (Future<@Nullable Claim> each : running) {
                Claim claim = each.get();
                if (claim != null) {
                    held.add(claim);
                }
            }
        }
        return Integer.toString(held.size());
    }
}
