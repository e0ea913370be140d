package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.nvme.NamespaceManagement;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.SelfTestLog;
import dev.outboard.specs.nvme.Maintenance;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code outboard nvme self-test}. */
@Command(
        name = "self-test",
        description = {
            "Starts or ends a self-test of the controller and all namespaces, and shows how the last ones ended.",
            "It goes on in the device after the command; an emulated one that the command started ends with it."
        })
final class SelfTestCommand implements Callable<Integer> {
    /** What can be started. */
    enum Test {
        SHORT(Maintenance.SHORT_TEST),
        EXTENDED(Maintenance.EXTENDED_TEST),
        ABORT(Maintenance.ABORT_TEST);

        private final int code;

        Test(int code) {
            this.code = code;
        }
    }

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Option(names = "--start", paramLabel = "TEST", description = "short or extended; abort ends the one that runs.")
    private @Nullable Test test;

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        try (NvmeController controller = device.open()) {
            if (test != null) {
                controller.admin().selfTest(NamespaceManagement.ALL, test.code);
            }
            SelfTestLog log = controller.admin().logs().selfTests();
            if (output.json()) {
                Json.print(System.out, json(log));
            } else {
                print(log);
            }
        }
        return 0;
    }

    private static Map<String, Object> json(SelfTestLog log) {
        List<Object> results = new ArrayList<>();
        for (SelfTestLog.Result result : log.results()) {
            Map<String, Object> each = Json.object();
            each.put("Self test result", result.outcome());
            each.put("Self test code", result.test());
            each.put("Segment number", result.data().get("seg"));
            each.put("Valid Diagnostic Information", result.data().get("vdi"));
            each.put("Power on hours", result.data().get("poh"));
            results.add(each);
        }
        Map<String, Object> json = Json.object();
        json.put("Current Device Self-Test Operation", log.running());
        json.put("Current Device Self-Test Completion", log.percent());
        json.put("List of Valid Reports", results);
        return json;
    }

    private static void print(SelfTestLog log) {
        System.out.println(
                log.running() == 0 ? "no test runs" : name(log.running()) + " test runs: " + log.percent() + " %");
        for (SelfTestLog.Result result : log.results()) {
            System.out.printf(
                    "%s test after %d hours of power: %s%n",
                    name(result.test()), result.data().get("poh"), outcome(result.outcome()));
        }
    }

    private static String name(int code) {
        return switch (code) {
            case Maintenance.SHORT_TEST -> "short";
            case Maintenance.EXTENDED_TEST -> "extended";
            default -> "vendor's";
        };
    }

    private static String outcome(int outcome) {
        return switch (outcome) {
            case Maintenance.TEST_PASSED -> "passed";
            case Maintenance.TEST_ABORTED -> "aborted";
            case Maintenance.TEST_ABORTED_BY_RESET -> "ended by a reset";
            case Maintenance.TEST_ABORTED_BY_REMOVAL -> "ended by the removal of a namespace";
            case Maintenance.TEST_ABORTED_BY_FORMAT -> "ended by a format";
            case Maintenance.TEST_ABORTED_BY_SANITIZE -> "ended by a sanitize";
            default -> "failed (result " + outcome + ")";
        };
    }
}
