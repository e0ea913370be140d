package dev.outboard.cli.interpose;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.interpose.RegisterNames;
import dev.outboard.emulation.recording.RecordedEvent;
import dev.outboard.emulation.recording.RecordingReader;
import dev.outboard.memory.RegisterMap;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code outboard trace}. */
@Command(name = "trace", description = "Shows what passed between a driver and its device, from a recording.")
public final class TraceCommand implements Callable<Integer> {
    @Parameters(paramLabel = "RECORDING", description = "What --record wrote.")
    private @Nullable Path recording;

    @Option(
            names = "--names",
            paramLabel = "[REGION=]NAMES",
            description = "What the registers of a region are called, bar0 unless told: " + RegisterNames.CHOICES
                    + ". With nvme, commands and completions are shown too.")
    private List<String> names = new ArrayList<>();

    @Option(
            names = "--only",
            paramLabel = "KIND",
            split = ",",
            description = "Show these alone: read, write, to-device, to-driver, interrupt, command, completion, ….")
    private List<String> only = new ArrayList<>();

    @Option(
            names = {"-f", "--follow"},
            description = "Go on until the driver closes the device: show what passes while it passes.")
    private boolean follow;

    @Mixin
    private JsonOption output = new JsonOption();

    /** For picocli. */
    public TraceCommand() {}

    @Override
    public Integer call() throws IOException {
        Trace trace = new Trace(maps());
        List<Object> events = new ArrayList<>();
        try (RecordingReader reader = open(Objects.requireNonNull(recording))) {
            RecordedEvent event = null;
            while (!(event instanceof RecordedEvent.Closed) && (event = reader.read()) != null) {
                for (TraceLine line : trace.lines(reader.nanos(), event)) {
                    if (!only.isEmpty() && !only.contains(line.kind())) {
                        continue;
                    }
                    if (output.json()) {
                        events.add(line.json());
                    } else {
                        System.out.println(line);
                    }
                }
            }
            if (output.json()) {
                Map<String, Object> json = Json.object();
                json.put("device", reader.device());
                json.put("events", events);
                Json.print(System.out, json);
            }
            if (follow && event == null && !Interruption.requested()) {
                throw new IOException(
                        recording + " ended without its end mark: who wrote it was killed, and what it did"
                                + " last may be missing");
            }
        }
        return 0;
    }

    private RecordingReader open(Path file) throws IOException {
        return follow ? RecordingReader.follow(file, Interruption::requested) : RecordingReader.open(file);
    }

    private Map<Region, RegisterMap> maps() throws IOException {
        Map<Region, RegisterMap> maps = new EnumMap<>(Region.class);
        maps.put(Region.CONFIG, PciConfiguration.ALL);
        for (String option : names) {
            int mark = option.indexOf('=');
            String region = mark < 0 ? Region.BAR0.toString() : option.substring(0, mark);
            String name = option.substring(mark + 1);
            Region found = Region.find(region)
                    .orElseThrow(() -> new IllegalArgumentException(
                            "--names " + option + ": the regions are bar0 to bar5, and config"));
            maps.put(found, RegisterNames.find(name));
        }
        return maps;
    }
}
