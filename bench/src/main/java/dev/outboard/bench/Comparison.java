package dev.outboard.bench;

import java.io.IOException;
import java.util.List;

/** Something that can be compared with a peer. */
interface Comparison {
    /** All of them. */
    List<Comparison> ALL = List.of(
            new RegistersComparison(),
            new FieldsComparison(),
            new RingComparison(),
            new CopyComparison(),
            new FindComparison(),
            new NvmeComparison(),
            new EmulationComparison(),
            new StartupComparison());

    String name();

    /** What is compared with what, in one line. */
    String summary();

    Unit unit();

    /** Who the other side is. */
    String peer(Settings settings);

    /** The names of the cases, in the order in which they are measured. */
    List<String> cases();

    /**
     * Measures every case.
     *
     * @throws IOException if those that were not reported to the bench cannot be measured
     */
    void run(Settings settings, Programs programs, Bench bench) throws IOException;
}
