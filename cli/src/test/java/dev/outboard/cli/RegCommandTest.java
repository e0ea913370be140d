package dev.outboard.cli;

import static dev.outboard.cli.Command.assertFails;
import static dev.outboard.cli.Command.assertWrongUsage;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.emulation.VfioUserServer;
import dev.outboard.memory.RegisterAccess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Registers from the shell, on the emulated NVMe controller. */
@Tag("emulated")
@Timeout(240)
@SuppressWarnings("unchecked")
class RegCommandTest {
    private static final String SVD = """
            <device><name>Named</name><peripherals><peripheral><name>BLOCK</name><baseAddress>0</baseAddress><registers>
              <register><name>EVENTS</name><addressOffset>0x1c</addressOffset><access>read-only</access>
                <readAction>clear</readAction></register>
              <register><name>QUEUE</name><addressOffset>0x28</addressOffset><size>64</size></register>
              <register><name>SHADOW</name><addressOffset>0x1000</addressOffset><access>write-only</access></register>
            </registers></peripheral></peripherals></device>
            """;

    @TempDir
    Path directory;

    private static Command.Result reg(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("reg"));
        command.addAll(Arrays.asList(arguments));
        return Command.run(command.toArray(String[]::new));
    }

    private static List<Map<String, Object>> registers(Command.Result result) throws Exception {
        assertThat(result.status()).as(result.err()).isZero();
        return (List<Map<String, Object>>) result.json().get("registers");
    }

    private String svd() throws Exception {
        return Files.writeString(directory.resolve("named.svd"), SVD).toString();
    }

    @Test
    void aDumpWithNamesDecodesEveryRegisterAndReadsNoneThatItShallNot() throws Exception {
        Command.Result text = reg("dump", "model:nvme", "bar0", "--names", "nvme");
        assertThat(text.status()).as(text.err()).isZero();
        assertThat(text.out().lines())
                .anySatisfy(line -> assertThat(line).matches("000008  VS +0x00020000 +read-only, 3.1.3.2"))
                .anySatisfy(line -> assertThat(line).matches(" +15:14  SHN +0  NONE"))
                .anySatisfy(line -> assertThat(line).matches("001000  SQ0TDBL +not read: write-only"));
        List<Map<String, Object>> json = registers(reg("dump", "model:nvme", "bar0", "--names", "nvme", "--json"));
        assertThat(json)
                .extracting(register -> register.get("name"))
                .startsWith("CAP", "VS")
                .endsWith("SQ0TDBL");
        assertThat(json.getFirst()).containsEntry("widthBits", 64).containsEntry("access", "read-only");
        assertThat(json.getLast()).containsEntry("notRead", "write-only").doesNotContainKey("value");
    }

    @Test
    void aDumpWithoutNamesIsWordsOfTheWidth() throws Exception {
        assertThat(reg("dump", "model:nvme", "config", "0", "--count", "2")
                        .out()
                        .lines())
                .hasSize(2)
                .first()
                .asString()
                .matches("00000000  [0-9a-f]{8} [0-9a-f]{8} +\\|.{8}\\|");
        String bytes = reg("dump", "model:nvme", "config", "0", "--count", "4", "--width", "8", "--json")
                .json()
                .get("data")
                .toString();
        assertThat(reg("dump", "model:nvme", "config", "0", "--count", "2", "--width", "16", "--json")
                        .json())
                .containsEntry("data", bytes)
                .containsEntry("widthBits", 16);
        assertThat(registers(reg("read", "model:nvme", "config", "VENDOR_ID", "--names", "pci", "--json")))
                .singleElement()
                .satisfies(register -> assertThat(register)
                        .containsEntry("value", "0x" + bytes.substring(2, 4) + bytes.substring(0, 2)));
    }

    @Test
    void aRegisterIsReadByOffsetAndByNameInItsWidth() throws Exception {
        Map<String, Object> named = registers(reg("read", "model:nvme", "bar0", "cap", "--names", "nvme", "--json"))
                .getFirst();
        String high = registers(reg("read", "model:nvme", "bar0", "0x4", "--json"))
                .getFirst()
                .get("value")
                .toString();
        String low = registers(reg("read", "model:nvme", "bar0", "0", "--mask", "0xffff", "--json"))
                .getFirst()
                .get("value")
                .toString();
        assertThat(named.get("value").toString())
                .startsWith(high)
                .endsWith(low.substring(low.length() - 4))
                .hasSize(18);
        assertThat(low).startsWith("0x0000");
        assertThat(registers(reg("read", "model:nvme", "bar0", "0x28", "--count", "3", "--width", "64", "--json")))
                .extracting(register -> register.get("offset"))
                .containsExactly(0x28, 0x30, 0x38);
    }

    @Test
    void whatIsWrittenIsThereAndTheMaskKeepsTheRest() throws Exception {
        Path socket = directory.resolve("device.sock");
        String device = "vfio-user:" + socket;
        try (Keeping model = new Keeping();
                VfioUserServer server = VfioUserServer.start(model, socket)) {
            assertThat(server.path()).isEqualTo(socket);
            assertFails(reg("write", device, "bar0", "AQA", "0x001f001f", "--names", "nvme"), "--destroy", "--dry-run");
            Command.Result dry =
                    reg("write", device, "bar0", "AQA", "ASQS=0x1f,ACQS=31", "--names", "nvme", "--dry-run");
            assertThat(dry.out()).startsWith("would write 000024  AQA").contains("0x001f001f");
            assertThat(model.words.get(0x24 / 4)).isZero();
            assertThat(written(device, "0x24", "0xf01f001f", "--verify")).isEqualTo("wrote 000024  0xf01f001f");
            assertThat(written(device, "0x24", "0xffffff2f", "--mask", "0xff", "--verify"))
                    .isEqualTo("wrote 000024  0xf01f002f");
            assertThat(written(device, "AQA", "ASQS=0x2e", "--names", "nvme", "--verify"))
                    .startsWith("wrote 000024  AQA          0xf01f002e");
            assertThat(model.words.get(0x24 / 4)).isEqualTo(0xf01f_002e);
            written(device, "0x40", "7", "--count", "3");
            assertThat(model.words.get(0x48 / 4)).isEqualTo(7);
            assertThat(model.words.get(0x4c / 4)).isZero();
        }
    }

    private static String written(String device, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("write", device, "bar0"));
        command.addAll(Arrays.asList(arguments));
        command.add("--destroy");
        Command.Result result = reg(command.toArray(String[]::new));
        assertThat(result.status()).as(result.err()).isZero();
        return result.out().lines().findFirst().orElseThrow();
    }

    @Test
    void aWriteThatDoesNotStayFailsItsVerification() throws Exception {
        Command.Result result = reg("write", "model:nvme", "bar0", "8", "0x12345678", "--verify");
        assertFails(result, "reads 0x00020000", "0x12345678");
    }

    @Test
    void registersOfQemusDevicesAreReachedWithoutAGuest() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/qemu-system-x86_64")), "needs QEMU: qemu-system-x86");
        Command.Result result = reg("dump", "qemu:e1000e?mac=52:54:00:12:34:56", "bar0", "0x5400", "--count", "2");
        assertThat(result.out()).startsWith("00005400  12005452 80005634");
        // It is made for the command, so nothing of it needs --destroy.
        assertThat(reg("write", "qemu:edu", "bar0", "4", "0x12345678").status()).isZero();
        assertFails(
                reg("read", "qemu:flux-capacitor", "bar0", "0"), "'flux-capacitor' is not a valid device model name");
    }

    @Test
    void watchPrintsWhatChangesUntilInterrupted() throws Exception {
        Path socket = directory.resolve("device.sock");
        try (Keeping model = new Keeping();
                VfioUserServer server = VfioUserServer.start(model, socket);
                Command watch = Command.start(
                        "reg",
                        "watch",
                        "vfio-user:" + server.path(),
                        "bar0",
                        "--names",
                        "nvme",
                        "--interval",
                        "0.01")) {
            assertThat(watch.await(" CC "))
                    .contains("0x00000000")
                    .contains("EN=0")
                    .contains("SHN=NONE");
            watch.await("CMBSZ");
            model.words.set(0x14 / 4, 0x4001);
            assertThat(watch.await(" CC ")).contains("0x00000000 -> 0x00004001").endsWith("EN=1 SHN=NORMAL");
            watch.interrupt();
            Command.Result end = watch.end();
            assertThat(end.out()).as("nothing else changed").isEmpty();
            assertThat(end.err()).isEmpty();
            assertThat(model.reads).contains(0x14L).doesNotContain(0x1000L);
        }
    }

    @Test
    void watchPrintsOneDocumentOfJson() throws Exception {
        Path socket = directory.resolve("device.sock");
        try (Keeping model = new Keeping();
                VfioUserServer server = VfioUserServer.start(model, socket);
                Command watch = Command.start(
                        "reg", "watch", "vfio-user:" + server.path(), "bar0", "8", "--interval", "0.01", "--json")) {
            assertThat(watch.await("[")).isEqualTo("[");
            watch.await("}");
            model.words.set(2, 5);
            watch.await("before");
            watch.interrupt();
            Command.Result end = watch.end();
            assertThat(end.out().strip()).contains("\"0x00000005\"").endsWith("]");
        }
    }

    @Test
    void aRegisterThatReadingChangesIsReadOnlyWhenForced() throws Exception {
        String names = svd();
        assertWrongUsage(reg("read", "model:nvme", "bar0", "EVENTS", "--names", names), "read-to-clear", "--force");
        // By its number too, and by an access that touches it.
        assertWrongUsage(reg("read", "model:nvme", "bar0", "0x1c", "--names", names), "EVENTS");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "0x18", "--width", "64", "--names", names), "EVENTS");
        assertWrongUsage(reg("watch", "model:nvme", "bar0", "EVENTS", "--names", names), "--force");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "SHADOW", "--names", names), "write-only");
        assertWrongUsage(reg("write", "model:nvme", "bar0", "EVENTS", "0", "--names", names), "no effect");
        assertWrongUsage(
                reg("write", "model:nvme", "bar0", "EVENTS", "1", "--mask", "1", "--names", names), "no effect");
        assertThat(registers(reg("read", "model:nvme", "bar0", "EVENTS", "--names", names, "--force", "--json")))
                .hasSize(1);
        assertThat(registers(reg("dump", "model:nvme", "bar0", "--names", names, "--json")))
                .extracting(register -> register.get("notRead"))
                .containsExactly("read-to-clear", null, "write-only");
    }

    @Test
    void badInputIsRefusedInOneLine() throws Exception {
        assertWrongUsage(reg("read", "model:nvme", "bar6", "0"), "bar0 to bar5");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "CAP"), "--names");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "CAPS", "--names", "nvme"), "CAPS", "CAP, VS");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "0", "--names", "toaster"), "toaster", "FILE.svd");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "0", "--width", "24"), "8, 16, 32 or 64");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "2"), "multiple of 4");
        assertFails(reg("read", "model:nvme", "bar0", "1T"), "outside of bar0");
        assertWrongUsage(reg("read", "model:nvme", "bar0", "0", "--count", "0"), "--count 0");
        assertFails(reg("dump", "model:nvme", "bar0", "0", "--count", "9999999"), "outside of bar0");
        assertFails(reg("read", "model:nvme", "bar5", "0"), "BAR");
        assertWrongUsage(reg("write", "model:nvme", "bar0", "0x14", "0x100000000"), "does not fit 32 bits");
        assertWrongUsage(reg("write", "model:nvme", "bar0", "CC", "EN=2", "--names", "nvme"), "1 bits of EN");
        assertWrongUsage(reg("write", "model:nvme", "bar0", "CC", "SHN=SOON", "--names", "nvme"), "NORMAL");
        assertWrongUsage(reg("write", "model:nvme", "bar0", "INTMC", "1", "--names", "nvme", "--verify"), "--verify");
        assertWrongUsage(reg("watch", "model:nvme", "bar0", "0", "--interval", "0"), "--interval");
        assertWrongUsage(
                reg("read", "model:nvme", "bar0", "R", "--names", "/nowhere/x.svd"), "/nowhere/x.svd is no file");
        assertWrongUsage(reg("read", "model:nvme", "bar0", ""), "no number");
        assertWrongUsage(reg("dump", "model:nvme", "bar0", "", "--names", "nvme"), "no register \"\"");
        assertThat(reg("read", "model:nvme").status()).isEqualTo(2);
    }

    @Test
    void javaConstantsAreGeneratedWhereSourcesAre() throws Exception {
        String names = svd();
        assertThat(reg("generate", names, "--package", "a.b").out()).contains("public final class Block {");
        Command.Result result = reg(
                "generate",
                names,
                "--package",
                "a.b",
                "--class",
                "Named",
                "--source-directory",
                directory.toString(),
                "--json");
        assertThat(result.json()).containsEntry("class", "a.b.Named").containsEntry("registers", 3);
        assertThat(directory.resolve("a/b/Named.java")).content().contains("package a.b;");
        assertWrongUsage(reg("generate", names + "#NONE", "--package", "a.b"), "NONE", "BLOCK");
        assertWrongUsage(reg("generate", names, "--package", "a b"), "a b");
    }

    /** A device that remembers what is written, also when its user goes, and what was read. */
    private static final class Keeping extends PciModel implements RegisterAccess {
        private static final int BAR_BYTES = 0x2000;

        final AtomicIntegerArray words = new AtomicIntegerArray(BAR_BYTES / Integer.BYTES);
        final Set<Long> reads = ConcurrentHashMap.newKeySet();

        Keeping() {
            super(new Identity(0x1b36, 0x0010, 0x010802, 0, 0, 0), false, 1);
            addBar(Bar.of(0, BAR_BYTES, this));
        }

        @Override
        public long read(long offset, int widthBytes) {
            reads.add(offset);
            int index = (int) offset / Integer.BYTES;
            long word = Integer.toUnsignedLong(words.get(index));
            return widthBytes == Long.BYTES ? word | ((long) words.get(index + 1) << Integer.SIZE) : word;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            words.set((int) offset / Integer.BYTES, (int) value);
        }

        @Override
        protected void resetFunction() {}
    }
}
