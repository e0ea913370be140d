package dev.outboard.cli;

import dev.outboard.memory.ClaimOwner;
import dev.outboard.memory.ClaimRecord;
import dev.outboard.memory.ClaimTarget;
import dev.outboard.memory.Claims;
import java.io.IOException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard claims}. */
@Command(
        name = "claims",
        description = "Every device and address range that somebody has claimed now, and who: see docs/claims.md.")
final class ClaimsCommand implements Callable<Integer> {
    private static final String FORMAT = "%s  %7s  %-10s  %-20s  %s%n";

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        List<ClaimRecord> claims = Claims.system().list().stream()
                .sorted(Comparator.comparing(
                                (ClaimRecord claim) -> claim.target().name())
                        .thenComparingLong(claim -> claim.target().start()))
                .toList();
        if (output.json()) {
            List<Object> document = new ArrayList<>();
            claims.forEach(claim -> document.add(json(claim)));
            Json.print(System.out, document);
        } else if (claims.isEmpty()) {
            System.err.println("nothing is claimed");
        } else {
            print(claims);
        }
        return 0;
    }

    private static void print(List<ClaimRecord> claims) {
        int width = claims.stream()
                .mapToInt(claim -> claim.target().toString().length())
                .max()
                .orElse(0);
        String format = "%-" + width + FORMAT.substring(1);
        System.out.printf(format, "CLAIMED", "PROCESS", "USER", "SINCE", "OWNER");
        for (ClaimRecord claim : claims) {
            ClaimOwner owner = claim.owner();
            System.out.printf(
                    format,
                    claim.target(),
                    owner.pid(),
                    owner.user(),
                    owner.since().truncatedTo(ChronoUnit.SECONDS),
                    owner.name() + (owner.ended() ? " (ended; another process has its descriptors)" : ""));
        }
    }

    private static Map<String, Object> json(ClaimRecord claim) {
        ClaimTarget target = claim.target();
        Map<String, Object> json = Json.object();
        json.put("target", target.name());
        if (!target.isWhole()) {
            json.put("start", "0x" + Long.toHexString(target.start()));
            json.put("lengthBytes", target.lengthBytes());
        }
        json.putAll(json(claim.owner()));
        return json;
    }

    /** An owner, as {@code outboard devices} shows it too. */
    static Map<String, Object> json(ClaimOwner owner) {
        Map<String, Object> json = Json.object();
        json.put("owner", owner.name());
        json.put("pid", owner.pid());
        json.put("user", owner.user());
        json.put("since", owner.since().toString());
        return json;
    }
}
