package dev.outboard.cli.reg;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code outboard reg watch}, and so on. */
@Command(name = "watch", description = "Reads registers again and again, and prints what changes, until interrupted.")
final class WatchCommand extends RegisterCommand {
    private static final double MINIMUM_SECONDS = 0.001;
    private static final double MAXIMUM_SECONDS = 86_400;
    private static final double NANOS = 1e9;

    @Option(
            names = "--interval",
            paramLabel = "S",
            defaultValue = "1",
            description = "Seconds between two looks, from 0.001; unless told ${DEFAULT-VALUE}.")
    private double intervalSeconds = 1;

    private boolean printed;

    WatchCommand(Place place) {
        super(place);
    }

    @Override
    boolean registerIsOptional() {
        return true;
    }

    @Override
    void run(@Nullable RegisterMap map) throws IOException, InterruptedException {
        if (!(intervalSeconds >= MINIMUM_SECONDS && intervalSeconds <= MAXIMUM_SECONDS)) {
            throw new IllegalArgumentException("--interval " + intervalSeconds + ": it is from 0.001 to 86400 seconds");
        }
        List<Target> targets = targets(map);
        try (OpenRegisters registers = Target.open(targets, place(), Place.Purpose.READ)) {
            if (json()) {
                System.out.println("[");
            }
            watch(registers, targets);
            if (json()) {
                System.out.println("]");
            }
        }
    }

    private List<Target> targets(@Nullable RegisterMap map) {
        String where = place().register();
        if (where == null) {
            if (map == null) {
                throw new IllegalArgumentException(
                        "watch what? Say an " + place().label() + ", or --names " + RegisterNames.CHOICES);
            }
            return map.registers().stream()
                    .filter(register -> access().force()
                            || (!register.readChanges() && register.access().isReadable()))
                    .map(register -> new Target(register, true))
                    .toList();
        }
        List<Target> targets = Target.of(where, access(), map, place());
        targets.forEach(target -> target.checkRead(map, access().force()));
        return targets;
    }

    private void watch(OpenRegisters registers, List<Target> targets) throws IOException, InterruptedException {
        Duration interval = Duration.ofNanos((long) (intervalSeconds * NANOS));
        long[] last = new long[targets.size()];
        boolean first = true;
        do {
            for (int i = 0; i < last.length; i++) {
                long value = registers.read(targets.get(i).register());
                if (first || value != last[i]) {
                    print(targets.get(i), first ? null : last[i], value);
                }
                last[i] = value;
            }
            registers.checkPresent();
            System.out.flush();
            first = false;
        } while (!Interruption.await(interval));
    }

    private void print(Target target, @Nullable Long before, long value) throws IOException {
        LocalTime time = LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.MILLIS);
        Register register = target.register();
        if (json()) {
            Map<String, Object> json = Json.object();
            json.put("time", time.toString());
            if (before != null) {
                json.put("before", DecodedRegister.digits(before, register.widthBits()));
            }
            json.putAll(target.json(value));
            if (printed) {
                System.out.println(",");
            }
            Json.print(System.out, json);
        } else {
            String was = before == null ? "" : DecodedRegister.digits(before, register.widthBits()) + " -> ";
            System.out.printf(
                    "%tT.%<tL  %-12s %s%s  %s%n",
                    time,
                    register.name(),
                    was,
                    DecodedRegister.digits(value, register.widthBits()),
                    fields(register, before, value));
        }
        printed = true;
    }

    /** All fields at first, then those that changed. */
    private static String fields(Register register, @Nullable Long before, long value) {
        List<String> shown = new ArrayList<>();
        for (DecodedRegister.DecodedField field : register.decode(value).fields()) {
            if (before == null || field.field().get(before) != field.value()) {
                shown.add(field.toString());
            }
        }
        return String.join(" ", shown);
    }
}
