package dev.outboard.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.pci.DriverBinding;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;

/** {@code outboard nvme … --json} says what nvme-cli says, of the same controller under the kernel's driver. */
@Tag("kernel")
@EnabledIfEnvironmentVariable(named = "OUTBOARD_RIG", matches = "qemu", disabledReason = "needs a guest of rig")
class NvmeCliTest {
    private final List<String> differences = new ArrayList<>();
    private final List<String> onlyOurs = new ArrayList<>();
    private int compared;

    @AfterAll
    static void giveBack() throws IOException {
        KernelDriver.binding().release();
    }

    @Test
    void everyFieldThatBothHaveIsTheSame() throws Exception {
        String name = KernelDriver.name();
        Map<String, Object> controller = nvme("id-ctrl", "/dev/" + name);
        Map<String, Object> namespace = nvme("id-ns", "/dev/" + name + "n1");
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        Map<String, Object> ours = ours("identify");
        Map<?, ?> ourNamespace = (Map<?, ?>) ((List<?>) ours.get("namespaces")).getFirst();

        compare("id-ctrl", ours, controller);
        compare("id-ns", ourNamespace, namespace);
        System.out.println(compared + " values compared with nvme-cli's");
        assertThat(differences).isEmpty();
        assertThat(onlyOurs)
                .as("names that nvme-cli does not have")
                // The last three it has elsewhere: nvm-id-ns, of later versions.
                .containsExactly("id-ctrl.namespaces", "id-ns.nsid", "id-ns.lbstm", "id-ns.pic", "id-ns.elbafs");
        assertThat(compared).isGreaterThan(80);
        assertThat(ours).containsEntry("sn", "OUTBOARD-0").containsEntry("mn", "QEMU NVMe Ctrl");
    }

    @Test
    void smartLogAndErrorLogAreTheSame() throws Exception {
        String name = KernelDriver.name();
        Map<String, Object> smart = nvme("smart-log", "/dev/" + name);
        Map<String, Object> errors = nvme("error-log", "/dev/" + name);
        KernelDriver.binding().bind(DriverBinding.VFIO_PCI);
        Map<String, Object> ourSmart = ours("smart");
        Map<String, Object> ourErrors = ours("error-log");
        // It lists the entries that are empty, too.
        List<?> filled = ((List<?>) errors.get("errors"))
                .stream()
                        .filter(entry ->
                                !plain(((Map<?, ?>) entry).get("error_count")).equals("0"))
                        .toList();
        errors.put("errors", filled);

        for (String counter : List.of("data_units_read", "host_read_commands", "power_on_hours")) {
            assertThat(number(ourSmart.remove(counter))).isGreaterThanOrEqualTo(number(smart.remove(counter)));
        }
        compare("smart-log", ourSmart, smart);
        compare("error-log", ourErrors, errors);
        System.out.println(compared + " values compared with nvme-cli's");
        assertThat(differences).isEmpty();
        assertThat(onlyOurs).as("names that nvme-cli does not have").isEmpty();
        assertThat(compared).isGreaterThan(15);
    }

    private static BigInteger number(Object value) {
        return new BigInteger(plain(value));
    }

    private static Map<String, Object> ours(String command) throws Exception {
        Command.Result result = Command.run("nvme", command, "--device", "vfio:" + KernelDriver.FIRST, "--json");
        assertThat(result.status()).as(result.err()).isZero();
        return result.json();
    }

    private static Map<String, Object> nvme(String command, String device) throws Exception {
        Command.Result result = Program.run(List.of("nvme", command, device, "-o", "json"));
        assertThat(result.status()).as(result.err()).isZero();
        return result.json();
    }

    private void compare(String where, Map<?, ?> ours, Map<?, ?> theirs) {
        ours.keySet().stream().filter(key -> !theirs.containsKey(key)).forEach(key -> onlyOurs.add(where + "." + key));
        theirs.keySet().stream()
                .filter(key -> !ours.containsKey(key))
                .forEach(key -> System.out.println("only nvme-cli has " + where + "." + key));
        theirs.forEach((key, value) -> {
            if (ours.containsKey(key)) {
                compare(where + "." + key, ours.get(key), value);
            }
        });
    }

    private void compare(String where, Object ours, Object theirs) {
        if (theirs instanceof Map<?, ?> map && ours instanceof Map<?, ?> own) {
            compare(where, own, map);
        } else if (theirs instanceof List<?> list && ours instanceof List<?> own && list.size() == own.size()) {
            for (int i = 0; i < list.size(); i++) {
                compare(where + "[" + i + "]", own.get(i), list.get(i));
            }
        } else {
            compared++;
            if (!plain(ours).equals(plain(theirs))) {
                differences.add(where + ": outboard " + ours + ", nvme-cli " + theirs);
            }
        }
    }

    /** nvme-cli prints some numbers as text. */
    private static String plain(Object value) {
        return String.valueOf(value).strip();
    }
}
