package dev.outboard.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** {@code registers}: an access through {@code Registers} against C's volatile access, both to cached memory. */
final class RegistersComparison implements Comparison {
    private static final int ROUNDS = 25;

    @Override
    public String name() {
        return "registers";
    }

    @Override
    public String summary() {
        return "an access through Registers, held in a field as drivers do, against C's volatile access";
    }

    @Override
    public Unit unit() {
        return Unit.NANOS_PER_ACCESS;
    }

    @Override
    public String peer(Settings settings) {
        Path peer = settings.peer();
        return peer == null ? "C volatile (bench/peers/registers)" : peer.toString();
    }

    @Override
    public List<String> cases() {
        return List.of("read32", "write32", "read64", "write64");
    }

    @Override
    public void run(Settings settings, Programs programs, Bench bench) throws IOException {
        Path peer = settings.peer();
        Path program = peer == null ? settings.program("registers") : peer;
        try (RegisterLoops loops = new RegisterLoops();
                LineConversation theirs = programs.converse(
                        List.of(program.toString(), "--cpu", Integer.toString(Settings.DRIVER_CPU)))) {
            for (String what : cases()) {
                if (!settings.wants(what)) {
                    continue;
                }
                loops.warmUp(what);
                bench.measure(
                        what,
                        settings.roundsOr(ROUNDS),
                        () -> loops.nanosPerAccess(what),
                        () -> PeerOutput.number(theirs.ask(what), "nanosPerAccess"));
            }
        }
    }
}
