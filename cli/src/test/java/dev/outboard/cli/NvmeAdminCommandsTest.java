package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.VfioUserServer;
import dev.outboard.emulation.nvme.NvmeModel;
import dev.outboard.emulation.nvme.NvmeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code outboard nvme} on a model that lasts longer than a command. */
@Timeout(240)
class NvmeAdminCommandsTest {
    @TempDir
    Path directory;

    private NvmeModel model;
    private VfioUserServer server;

    @BeforeEach
    void serve() throws IOException {
        model = new NvmeModel(NvmeOptions.DEFAULT.withSizeBytes(8 << 20).withNamespaces(2));
        server = VfioUserServer.start(model, directory.resolve("s"));
    }

    @AfterEach
    void stop() {
        server.close();
        model.close();
    }

    private Command.Result nvme(String... arguments) {
        List<String> words = new ArrayList<>(List.of("nvme"));
        words.addAll(List.of(arguments));
        words.addAll(List.of("--device", "vfio-user:" + server.path()));
        return Command.runHere(words.toArray(String[]::new));
    }

    private String text(String... arguments) {
        Command.Result result = nvme(arguments);
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err()).isEmpty();
        return result.out();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    metadata=8&protection=1 | blocks of 512 bytes and 8 bytes of metadata (8M), protection information of type 1
                    metadata=16&protection=2&guard=64 | information of type 2 with guards of 64 bits
                    metadata=16&protection=1&guard=32&storage-tag=40 | 1 with guards of 32 bits and storage tags of 40 bits
                    zone-size=1M            | blocks of 512 bytes (8M), 8 zones of 2048 blocks
                    hmb=4M&hmb-pieces=9     | host memory     4M (hmpre 1024, hmmin 256, hmminds 0, hmmaxd 9)
                    """)
    void identifySaysWhatBlocksAreLike(String options, String said) {
        Command.Result result = Command.runHere("nvme", "identify", "--device", "model:nvme?size=8M&" + options);
        assertThat(result.out()).as(result.err()).contains(said);
    }

    @Test
    void smartSpeaksWithTheNamesOfNvmeCli() throws IOException {
        assertThat(nvme("smart-log", "--json").json())
                .containsEntry("critical_warning", 0)
                .containsEntry("temperature", 300)
                .containsKeys("avail_spare", "percent_used", "data_units_read", "host_read_commands")
                .containsKeys("controller_busy_time", "power_on_hours", "num_err_log_entries");
        assertThat(text("smart")).contains("temperature      27 °C").contains("warnings         none");
    }

    @Test
    void errorsAreShownAndNoneAreToo() throws IOException {
        assertThat(text("error-log")).isEqualTo("no errors\n");
        assertThat(nvme("error-log", "--json").json()).containsEntry("errors", List.of());
        Command.assertFails(
                nvme("passthru", "--opcode", "6", "--cdw10", "0xfe", "--data-len", "4K"), "invalid field in command");
        assertThat(text("error-log")).contains("invalid field in command");
        List<?> errors = (List<?>) nvme("error-log", "--json").json().get("errors");
        assertThat(errors).hasSize(1);
        assertThat((Map<?, ?>) errors.getFirst())
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.map(String.class, Object.class))
                .containsEntry("error_count", 1)
                .containsEntry("sqid", 0)
                .containsKeys("status_field", "phase_tag", "parm_error_location", "trtype_spec_info");
    }

    @Test
    void namespacesAreCreatedDetachedAttachedAndDeleted() {
        assertThat(text("namespaces").lines()).hasSize(2).allMatch(line -> line.contains("blocks of 512 bytes"));
        assertThat(text("namespaces", "detach", "--namespace", "2")).contains("namespace 2: not attached");
        Command.assertFails(
                nvme("namespaces", "delete", "--namespace", "2"), "lose all data of namespace 2", "add --destroy");
        assertThat(text("namespaces", "delete", "--namespace", "2", "--destroy").lines())
                .hasSize(1);
        assertThat(text("namespaces", "create", "--blocks", "128", "--lba-format", "4"))
                .contains("namespace 2: 128 blocks of 4096 bytes");
        Command.assertWrongUsage(nvme("namespaces", "create"), "create needs --blocks");
        Command.assertWrongUsage(nvme("namespaces", "attach"), "which namespace");
        assertThat(nvme("namespaces", "--json").out()).contains("\"attached\" : true");
    }

    @Test
    void formatChoosesGuards() throws IOException {
        Map<String, Object> json = nvme("format", "--guard", "64", "--protection", "1", "--destroy", "--json")
                .json();
        assertThat(json).containsEntry("flbas", 12).containsEntry("dps", 1).containsKeys("lbstm", "pic");
        assertThat(((List<?>) json.get("elbafs")).get(12)).isEqualTo(Map.of("sts", 0, "pif", 2));
        assertThat(text("identify")).contains("16 bytes of metadata").contains("guards of 64 bits");
        assertThat(nvme("format", "--guard", "32", "--storage-tag", "64", "--protection", "2", "--destroy", "--json")
                        .json())
                .containsEntry("flbas", 11);
        Command.assertFails(
                nvme("format", "--guard", "64", "--storage-tag", "1", "--protection", "1", "--destroy"),
                "guards of 64 bits and storage tags of 1 bits; identify --json lists");
        Command.assertWrongUsage(nvme("format", "--guard", "64", "--destroy"), "give --guard and --protection");
        Command.assertWrongUsage(
                nvme("format", "--guard", "64", "--protection", "1", "--lba-format", "1", "--destroy"),
                "no --lba-format");
    }

    @Test
    void formatKeepsWhatItIsNotToldToChange() throws IOException {
        text("format", "--guard", "64", "--protection", "2", "--protection-first", "--extended-metadata", "--destroy");
        assertThat(nvme("format", "--destroy", "--json").json())
                .containsEntry("flbas", 12 | 1 << 4)
                .containsEntry("dps", 2 | 1 << 3);
        assertThat(nvme("format", "--protection", "1", "--protection-first", "false", "--destroy", "--json")
                        .json())
                .containsEntry("flbas", 12 | 1 << 4)
                .containsEntry("dps", 1);
        Command.assertFails(
                nvme("format", "--lba-format", "0", "--protection", "1", "--destroy"),
                "LBA format 0 has 0 bytes of metadata");
        assertThat(nvme("format", "--lba-format", "0", "--destroy", "--json").json())
                .containsEntry("flbas", 0)
                .containsEntry("dps", 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    passthru --opcode 0x06               | --opcode 0x06 transfers data from the controller: give --data-len
                    passthru --opcode 0x0a --cdw10 3     | give --data-len
                    passthru --opcode 0x15               | transfers data to the controller: give --write --file F
                    passthru --opcode 6 --data-len 512   | --opcode 0x06 brings 4096 bytes here
                    passthru --opcode 2 --cdw10 0x7f0002 --data-len 508 | --opcode 0x02 brings 512 bytes here
                    passthru --opcode 6 --data-len 0     | --data-len is a multiple of 4 bytes, at least 4, not 0
                    passthru --opcode 0x100              | --opcode is 0 to 0xff
                    passthru --opcode 1                  | --opcode 0x01 (create I/O submission queue) is for the driver
                    format --lba-format 99               | --lba-format is 0 to 63, not 99
                    format --lba-format 63 --destroy     | --lba-format 63 is none that the controller has
                    format --lba-format -1               | --lba-format
                    format --protection 7                | --protection is 0 to 3, not 7
                    namespaces create --blocks 1 --lba-format 99 | --lba-format is 0 to 63, not 99
                    firmware --slot 9                    | --slot is 1 to 7
                    features --feature 0x100             | --feature is 0 to 0xff
                    bench --seconds NaN                  | --seconds is more than 0
                    bench --warmup 1e300                 | --warmup is 0 to
                    bench --jobs 0                       | --jobs is at least 1, not 0
                    bench --read-percent 101 --op rw     | --read-percent is 0 to 100, not 101
                    bench --op dance                     | "dance" is none of randread, randwrite
                    read --lba 0 --blocks 0              | --blocks is at least 1, not 0
                    read --lba 0 --namespace 0xffffffff  | --namespace 4294967295 stands for all; this takes one of [1, 2]
                    identify --namespace 9               | no namespace 9; it has [1, 2]
                    """)
    void wrongUsageNamesTheOption(String arguments, String says) {
        Command.assertWrongUsage(nvme(arguments.split(" +")), says);
    }

    @Test
    void aFeatureThatIsANumberNeedsNoBuffer() {
        assertThat(text("passthru", "--opcode", "0x0a", "--cdw10", "6")).startsWith("result 0x");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                    write --destroy --lba 0 --file D/nosuch | D/nosuch: there is no such file
                    write --destroy --lba 0 --file D        | D is a directory
                    read --lba 0 --file D/no/x              | D/no/x: there is no such file, nor its folder
                    read --lba 0 --file /dev/full           | /dev/full: No space left on device
                    read --lba 0 --record D/no/x            | D/no/x: there is no such file, nor its folder
                    firmware --download D                   | D is a directory
                    bench --seconds 1000 --plot D/no/x.svg  | D/no/x.svg: there is no such file, nor its folder
                    bench --seconds 1000 --plot D           | D is a directory
                    """)
    void aFileThatCannotBeUsedIsNamedAndWhatIsWrong(String arguments, String says) {
        String folder = directory.toString();
        Command.assertFails(nvme(arguments.replace("D", folder).split(" +")), says.replace("D", folder));
    }

    @Test
    void numbersTakeHexadecimalAndUnits() throws IOException {
        assertThat(nvme("read", "--lba", "0x10", "--blocks", "1K", "--json", "--namespace", "0x2")
                        .json())
                .containsEntry("lba", 16)
                .containsEntry("blocks", 1024)
                .containsEntry("namespace", 2);
    }

    @Test
    void identifyShowsTheNamespaceThatIsNamed() throws IOException {
        assertThat((List<?>)
                        nvme("identify", "--json", "--namespace", "2").json().get("namespaces"))
                .singleElement()
                .satisfies(namespace ->
                        assertThat(((Map<?, ?>) namespace).get("nsid")).isEqualTo(2));
        assertThat(text("identify", "--namespace", "0xffffffff")).contains("namespace 1 ", "namespace 2 ");
        Command.assertFails(nvme("smart", "--namespace", "2"), "whole controller only", "leave --namespace away");
    }

    @Test
    void benchSaysHowManyRequestsFailed() throws IOException {
        Path faults = directory.resolve("faults");
        Files.writeString(faults, "outboard-faults 1\non completion 1 opcode read do status 0x281\n");
        Command.Result result =
                nvme("bench", "--requests", "3", "--warmup", "0", "--json", "--faults", faults.toString());
        assertThat(result.json()).containsEntry("jobs", 1).containsEntry("span", 8 << 20);
        assertThat(result.status()).isEqualTo(1);
        assertThat(result.err()).contains("outboard: " + result.json().get("errors") + " requests failed");
    }

    @Test
    void benchWantsNoMetadata() {
        Command.assertFails(
                Command.runHere("nvme", "bench", "--jobs", "2", "--device", "model:nvme?size=8M&metadata=8"),
                "a namespace without metadata",
                "outboard nvme format --lba-format N");
    }

    @Test
    void whatErasesNeedsToBeWanted() throws IOException {
        Command.assertFails(nvme("format"), "lose all data of the first namespace", "add --destroy");
        Command.assertFails(nvme("sanitize", "--start", "block_erase"), "lose everything", "add --destroy");
        Command.assertFails(nvme("passthru", "--opcode", "0x84"), "add --destroy");
        assertThat(text("format", "--lba-format", "4", "--destroy")).contains("blocks of 4096 bytes");
        assertThat(text("sanitize")).isEqualTo("never sanitized\n");
        assertThat(text("sanitize", "--start", "crypto_erase", "--destroy")).contains("sanitize");
        assertThat(nvme("sanitize", "--json").json()).containsKeys("sprog", "sstat", "cdw10_info");
    }

    @Test
    void theHostMemoryBufferIsShownWithTheNamesOfNvmeCli() {
        String device = "model:nvme?size=8M&hmb=4M";
        assertThat(Command.runHere("nvme", "features", "--feature", "0x0d", "--device", device)
                        .out())
                .matches("0x0d  host memory buffer +0x00000001  hsize 0x400  hmdlal 0x[0-9a-f]+  hmdlau 0x[0-9a-f]+"
                        + "  hmdlec 0x1\n");
        assertThat(Command.runHere("nvme", "features", "--json", "--device", device)
                        .out())
                .contains("\"hsize\"", "\"hmdlec\"");
        assertThat(text("features")).as("a controller without").doesNotContain("host memory");
        assertThat(text("identify")).doesNotContain("host memory");
    }

    @Test
    void featuresAreShownAndSet() {
        assertThat(text("features")).contains("0x06  volatile write cache");
        assertThat(text("features", "--feature", "0x04", "--set", "0x150")).contains("0x00000150");
        assertThat(nvme("features", "--feature", "4", "--json").out()).contains("\"temperature threshold\"");
        Command.assertWrongUsage(nvme("features", "--feature", "x"), "is no number");
        Command.assertFails(nvme("features", "--feature", "0xfe"), "invalid field in command");
    }

    @Test
    void theRestDoesWhatItSays() throws IOException {
        assertThat(text("firmware")).startsWith("slot 1  ").contains("runs");
        assertThat(nvme("firmware", "--json").json()).containsKey("Firmware Rev Slot 1");
        assertThat(text("reset")).contains("was reset and is ready");
        assertThat(text("self-test", "--start", "short")).contains("test");
        assertThat(nvme("self-test", "--json").json()).containsKey("List of Valid Reports");
        assertThat(text("passthru", "--opcode", "6", "--cdw10", "1", "--data-len", "4K"))
                .contains("Outboard");
        Path file = directory.resolve("identity");
        text("passthru", "--opcode", "6", "--cdw10", "1", "--data-len", "4K", "--file", file.toString());
        assertThat(Files.size(file)).isEqualTo(4096);
        Command.assertWrongUsage(nvme("passthru", "--opcode", "6", "--write"), "from --file F");
    }

    @Test
    void blocksAreCopiedAndTrimmed() throws IOException {
        Path written = directory.resolve("written");
        byte[] data = new byte[4096];
        new Random(1).nextBytes(data);
        Files.write(written, data);
        text("write", "--lba", "8", "--blocks", "8", "--file", written.toString(), "--destroy");

        assertThat(text("copy", "--lba", "8", "--blocks", "8", "--to", "100", "--destroy", "--json"))
                .contains("\"to\" : 100", "\"bytes\" : 4096");
        assertThat(read(100)).isEqualTo(data);

        text("trim", "--lba", "8", "--blocks", "8", "--zero", "--destroy");
        assertThat(read(8)).containsOnly(0);
        assertThat(read(100)).isEqualTo(data);
    }

    private byte[] read(int lba) throws IOException {
        Path file = directory.resolve("read-" + lba);
        text("read", "--lba", Integer.toString(lba), "--blocks", "8", "--file", file.toString());
        return Files.readAllBytes(file);
    }

    @Test
    void aCopyThatCannotBeIsRefused() {
        assertThat(nvme("copy", "--lba", "0", "--blocks", "8", "--to", "4", "--destroy")
                        .err())
                .contains("overlap");
        assertThat(nvme("copy", "--lba", "0", "--blocks", "8", "--to", "16380", "--destroy")
                        .err())
                .contains("outside of namespace 1");
        Command.assertFails(
                nvme("copy", "--lba", "0", "--to", "100", "--blocks", "2"), "lose blocks 100 to 101", "add --destroy");
        assertThat(nvme("copy", "--lba", "0", "--destroy").status()).isEqualTo(2);
    }
}
