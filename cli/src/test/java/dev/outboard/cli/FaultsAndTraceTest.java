package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Faults, recordings and traces, as users have them. */
@Tag("emulated")
@Timeout(240)
@SuppressWarnings("unchecked")
class FaultsAndTraceTest {
    @TempDir
    Path directory;

    private String file(String name, String... lines) throws Exception {
        return Files.write(directory.resolve(name), List.of(lines)).toString();
    }

    private String record(String name) throws Exception {
        String recording = directory.resolve(name).toString();
        Command.Result result =
                Command.run("nvme", "read", "--device", "model:nvme?size=1M", "--lba", "0", "--record", recording);
        assertThat(result.status()).as(result.err()).isZero();
        return recording;
    }

    @Test
    void aRuleMakesACommandFailAndSaysThatItActed() throws Exception {
        String rules = file("rules", "outboard-faults 1", "on completion 1-9 opcode read do status 0x281");

        Command.Result result = Command.run("nvme", "read", "--lba", "0", "--faults", rules);

        assertThat(result.status()).isEqualTo(1);
        assertThat(result.errorLines())
                .anySatisfy(line -> assertThat(line).startsWith("faults: 1 times: on completion 1-9"))
                .last()
                .asString()
                .startsWith("outboard: read on model:nvme queue 1");
    }

    @Test
    void rulesThatCannotBeReadAreRefusedWithLineAndColumn() throws Exception {
        String rules = file("rules", "outboard-faults 1", "on interrupt * do nothing");

        Command.Result checked = Command.run("faults", "check", rules);
        Command.Result used = Command.run("nvme", "identify", "--faults", rules);

        assertThat(checked.status()).isEqualTo(1);
        assertThat(checked.errorLines()).singleElement().asString().contains(rules + ":2:19: \"nothing\": the actions");
        assertThat(used.errorLines()).isEqualTo(checked.errorLines());
    }

    @Test
    void aRecordingIsTracedWithNamesAndReplayed() throws Exception {
        String recording = record("recording");

        Map<String, Object> trace =
                Command.run("trace", recording, "--names", "nvme", "--json").json();
        List<Map<String, Object>> events = (List<Map<String, Object>>) trace.get("events");
        assertThat(trace).containsEntry("device", "model:nvme?size=1M");
        assertThat(events)
                .anySatisfy(event ->
                        assertThat(event).containsEntry("kind", "write").containsEntry("name", "CC"))
                .anySatisfy(event -> assertThat(event)
                        .containsEntry("kind", "command")
                        .containsEntry("name", "read")
                        .containsEntry("queue", 1));

        Command.Result same = Command.run("nvme", "read", "--lba", "0", "--device", "replay:" + recording);
        assertThat(same.status()).as(same.err()).isZero();
        Command.Result other = Command.run("nvme", "read", "--lba", "1", "--device", "replay:" + recording);
        assertThat(other.status()).isEqualTo(1);
        assertThat(other.errorLines()).singleElement().asString().contains("of the recording expects");
    }

    @Test
    void aServedDeviceFailsByRuleAndIsRecordedWhoeverTheClientIs() throws Exception {
        String rules = file("rules", "outboard-faults 1", "on command 1-9 opcode read nth 2 do status 0x281");
        String recording = directory.resolve("recording").toString();
        Path socket = directory.resolve("a.sock");
        Path other = directory.resolve("b.sock");
        String options = "nvme?size=1M&faults=" + rules + "&record=" + recording;
        Command.Result served;
        try (Command emulate = Command.start("emulate", options + "@" + socket, "edu@" + other)) {
            emulate.await("edu is listening on " + other);
            String device = "vfio-user:" + socket;
            assertThat(Command.run("nvme", "read", "--device", device, "--lba", "0")
                            .status())
                    .isZero();
            Command.assertFails(Command.run("nvme", "read", "--device", device, "--lba", "0"), "status 0x281");
            assertThat(Command.run("reg", "read", "vfio-user:" + other, "bar0", "IDENTIFICATION", "--names", "edu")
                            .out())
                    .contains("010000ed");
            emulate.interrupt();
            served = emulate.end();
        }
        assertThat(served.status()).isEqualTo(130);
        assertThat(served.errorLines())
                .singleElement()
                .asString()
                .startsWith("faults: 1 times: on command 1-9 opcode 0x2 nth 2");
        assertThat(Command.run("trace", recording, "--names", "nvme", "--only", "completion")
                        .out())
                .contains("queue 1 read", "unrecovered read error");
    }

    @Test
    void aRecordingIsFollowedUntilTheDeviceIsClosed() throws Exception {
        Path pipe = directory.resolve("pipe");
        Program.succeeds("mkfifo", pipe.toString());
        try (Command trace = Command.start("trace", "--follow", pipe.toString(), "--names", "edu")) {
            Command.Result reg = Command.run(
                    "reg",
                    "read",
                    "model:edu",
                    "bar0",
                    "IDENTIFICATION",
                    "--names",
                    "edu",
                    "--record",
                    pipe.toString());
            assertThat(reg.status()).as(reg.err()).isZero();
            trace.await("bar0 IDENTIFICATION = 0x010000ed");
            assertThat(trace.end().status()).isZero();
        }
    }

    @Test
    void generatedRulesAreReadBack() throws Exception {
        Path each = directory.resolve("each");

        Map<String, Object> generated = Command.run(
                        "faults", "generate", record("recording"), "--each", each.toString(), "--json")
                .json();

        List<Object> rules = (List<Object>) generated.get("rules");
        assertThat(rules).hasSizeGreaterThan(50);
        Map<String, Object> last = Command.run(
                        "faults",
                        "check",
                        "--json",
                        each.resolve(String.format("%04d.faults", rules.size())).toString())
                .json();
        assertThat((List<Object>) last.get("rules")).containsExactly(rules.getLast());
    }
}
