package dev.outboard.bench;

import java.io.IOException;
import java.util.List;

/** {@code fields}: what the definitions of registers and fields cost over bare numbers. */
final class FieldsComparison implements Comparison {
    private static final int ROUNDS = 25;
    private static final String UPDATE = "update";

    @Override
    public String name() {
        return "fields";
    }

    @Override
    public String summary() {
        return "an update of a field by its definition (read, set, write), against the same by bare offset and mask";
    }

    @Override
    public Unit unit() {
        return Unit.NANOS_PER_UPDATE;
    }

    @Override
    public String peer(Settings settings) {
        return "Registers with bare numbers";
    }

    @Override
    public List<String> cases() {
        return List.of(UPDATE);
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        try (RegisterLoops loops = new RegisterLoops()) {
            loops.warmUp(UPDATE);
            loops.warmUp("bare " + UPDATE);
            bench.measure(
                    UPDATE,
                    settings.roundsOr(ROUNDS),
                    () -> loops.nanosPerUpdate(false),
                    () -> loops.nanosPerUpdate(true));
        }
    }
}
