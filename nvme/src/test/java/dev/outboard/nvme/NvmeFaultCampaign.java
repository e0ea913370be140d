package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.outboard.driver.Waiting;
import dev.outboard.emulation.fault.FaultAction;
import dev.outboard.emulation.fault.FaultGenerator;
import dev.outboard.emulation.fault.FaultInjector;
import dev.outboard.emulation.fault.FaultPlan;
import dev.outboard.emulation.fault.FaultRule;
import dev.outboard.emulation.interpose.InterposedFunction;
import dev.outboard.emulation.recording.Recorder;
import dev.outboard.pci.Pci;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * The driver under a fault at each place that it touches, one at a time and in pairs. It ends with verified data or with an
 * error that it reports, in time; each request is told of once; a reset brings the controller back, with all that was
 * acknowledged, and it is as new for the next who opens it.
 *
 * <p>A slice is tried, of another seed each time; {@code -Doutboard.faults=all} tries all rules and as many pairs, {@code
 * -Doutboard.faults.seed=N} one seed again, {@code -Doutboard.faults.rules='RULE; RULE'} those rules.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class NvmeFaultCampaign {
    private static final int REQUESTS = 16;
    private static final Duration SHORT = Duration.ofMillis(250);
    /** A busy machine may keep a command from its short deadline: that takes another reset. */
    private static final int SLOW_MACHINE_RESETS = 10;

    /** What the driver's deadlines can add up to for one fault, with room for a machine that has other work. */
    private static final Duration LIMIT = Duration.ofSeconds(45);
    /** The model allows itself 10 s to become ready (CAP.TO); with this it says 2, which it does not need either. */
    private static final String HASTE = "on read bar0 0x0 do flip 0x10000000";
    /** In which it is another controller: that is for whoever opens it anew. */
    private static final String ANOTHER = "open it anew";

    @TempDir
    Path directory;

    private final Map<String, Integer> ends = new TreeMap<>();

    /** Where the controller is; it serves one client after another. */
    abstract String address();

    /** How many rules are tried, and a third as many pairs, unless all are. */
    abstract int slice();

    @AfterEach
    void tellHowTheyEnded() {
        System.out.println(getClass().getSimpleName() + ": " + ends);
    }

    @TestFactory
    Stream<DynamicTest> everyFaultEndsWell() throws IOException {
        long seed = Long.getLong("outboard.faults.seed", System.nanoTime() & 0xffff);
        String chosen = System.getProperty("outboard.faults.rules");
        if (chosen != null) {
            return Stream.of(test(parse(chosen.replace(';', '\n')), seed));
        }
        List<FaultRule> all = generate(seed);
        boolean everything = "all".equals(System.getProperty("outboard.faults"));
        int step = everything ? 1 : Math.max(1, all.size() / slice());
        Random random = new Random(seed);
        Stream<List<FaultRule>> singles = Stream.iterate(random.nextInt(step), i -> i < all.size(), i -> i + step)
                .map(i -> List.of(all.get(i)));
        Stream<List<FaultRule>> pairs = Stream.generate(
                        () -> List.of(all.get(random.nextInt(all.size())), all.get(random.nextInt(all.size()))))
                .limit(everything ? all.size() : slice() / 3);
        return Stream.concat(singles, pairs).map(rules -> test(rules, seed));
    }

    /** The rules for all places that the driver touches, resets included. */
    private List<FaultRule> generate(long seed) throws IOException {
        Path recording = directory.resolve("recording");
        try (NvmeController controller = Nvme.open(Recorder.record(Pci.open(address()), recording))) {
            VerifiedLoad load = new VerifiedLoad(seed, SHORT);
            load(controller, load);
            controller.reset();
            load(controller, load);
        }
        return FaultGenerator.generate(recording, seed).rules();
    }

    private static List<FaultRule> parse(String rules) throws IOException {
        return FaultPlan.parse("rules", "outboard-faults 1\n" + rules).rules();
    }

    private DynamicTest test(List<FaultRule> rules, long seed) {
        String text = rules.stream().map(FaultRule::toString).collect(Collectors.joining("; "));
        String about = text + "\nrepeat it with: mvn package -pl nvme -am -Dtest="
                + getClass().getSimpleName() + " -Dsurefire.failIfNoSpecifiedTests=false -Doutboard.faults.seed=" + seed
                + " -Doutboard.faults.rules='" + text + "'\n";
        return dynamicTest("seed " + seed + ": " + text, () -> {
            try {
                String end = Watchdog.call(LIMIT.multipliedBy(rules.size()), about, () -> tryOut(rules, seed));
                ends.merge(end, 1, Integer::sum);
                Watchdog.call(LIMIT, "after " + about, () -> {
                    try (NvmeController controller = Nvme.open(address())) {
                        load(controller, new VerifiedLoad(seed + 1, NvmeSettings.DEFAULT.commandTimeout()));
                    }
                    return "";
                });
            } catch (Exception | AssertionError e) {
                throw new AssertionError(about + e, e);
            }
        });
    }

    /** Returns how it ended. */
    private String tryOut(List<FaultRule> rules, long seed) throws IOException {
        List<FaultRule> withHaste = new ArrayList<>(parse(HASTE));
        withHaste.addAll(rules);
        FaultInjector injector = new FaultInjector(new FaultPlan(seed, withHaste));
        VerifiedLoad load = new VerifiedLoad(seed, SHORT);
        boolean misled = rules.stream().anyMatch(NvmeFaultCampaign::misleads);
        try (NvmeController controller = Nvme.open(
                new InterposedFunction(Pci.open(address()), injector),
                NvmeSettings.DEFAULT.withCommandTimeout(SHORT))) {
            String end = "success";
            try {
                end = load(controller, load) == 0 ? "success" : "requests failed";
            } catch (IOException reported) {
                checkMessage(reported);
                end = "driver failed";
            } catch (VerifiedLoad.WrongDataException wrong) {
                // The driver cannot know what data should be that are changed on their way.
                if (!misled) {
                    throw wrong;
                }
                end = "misled";
            }
            return rules.stream().anyMatch(rule -> rule.action().kind() == FaultAction.Kind.REMOVE)
                    ? end + ", removal"
                    : end + ", " + recover(controller, load, misled, rules.size() + SLOW_MACHINE_RESETS);
        } catch (IOException reported) {
            checkMessage(reported);
            return "not opened";
        }
    }

    private void checkMessage(IOException reported) {
        assertThat(reported).hasMessageFindingMatch(address() + "|bar0|as a fault rule says");
        assertThat(reported.getMessage()).doesNotContain("\n");
    }

    /** Rules by which the device is told what the driver did not say, or the driver what the device did not. */
    private static boolean misleads(FaultRule rule) {
        FaultAction.Kind kind = rule.action().kind();
        return switch (rule.target().kind()) {
            case DMA_IN, DMA_OUT -> true;
            case READ, WRITE -> kind == FaultAction.Kind.FLIP || kind == FaultAction.Kind.ONES;
            default -> false;
        };
    }

    /** Resets the controller until it works, which the rules may prevent once each. */
    private String recover(NvmeController controller, VerifiedLoad load, boolean misled, int attempts)
            throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                controller.reset();
                if (misled) {
                    load.forget();
                } else {
                    load.verify(controller, Waiting.POLL);
                }
                if (load(controller, load) == 0) {
                    load.verify(controller, Waiting.INTERRUPT);
                    return "recovered";
                }
            } catch (IOException reported) {
                checkMessage(reported);
                if (reported.getMessage().contains(ANOTHER)) {
                    return "to be opened anew";
                }
                if (attempt == attempts) {
                    throw new AssertionError("the controller did not come back by " + attempts + " resets", reported);
                }
            } catch (VerifiedLoad.WrongDataException wrong) {
                if (!misled || attempt == attempts) {
                    throw wrong;
                }
            }
            assertThat(attempt).as("resets").isLessThan(attempts);
        }
    }

    /** Returns how many requests failed. */
    private static int load(NvmeController controller, VerifiedLoad load) throws IOException {
        int failed = 0;
        for (Waiting waiting : Waiting.values()) {
            failed += load.run(controller, waiting, REQUESTS);
            controller.admin().logs().smart();
        }
        return failed;
    }
}
