package dev.outboard.memory;

import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Who has claimed something.
 *
 * @param name what the program calls itself, for example {@code outboard nvme bench}
 * @param pid its process
 * @param user the user whose process it is, as the file system says: nobody can claim in another's name
 * @param since when it claimed
 * @param ended whether that process has ended, and another one has kept its descriptors open
 */
public record ClaimOwner(String name, long pid, String user, Instant since, boolean ended) {
    /** For people: {@code outboard nvme bench (process 4711 of root, since 2026-01-31T12:00:00Z)}. */
    @Override
    public String toString() {
        return name + " (process " + pid + " of " + user + ", since " + since.truncatedTo(ChronoUnit.SECONDS)
                + (ended ? "; it has ended, another process has its descriptors" : "") + ")";
    }
}
