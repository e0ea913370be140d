package dev.outboard.emulation.fault;

import dev.outboard.emulation.fault.FaultAction.Kind;
import dev.outboard.emulation.interpose.NvmeTraffic;
import dev.outboard.emulation.interpose.NvmeTraffic.Completion;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.recording.RecordedEvent;
import dev.outboard.emulation.recording.RecordingReader;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/** Writes fault rules for the places that a driver really touched, as a recording shows them. */
public final class FaultGenerator {
    private static final Duration DELAY = Duration.ofMillis(20);
    private static final int WRONG_COMMAND_ID = 0xfff0;
    /** Driver's polls of one register would otherwise push every fault of it behind the time that it matters. */
    private static final long MOST_NTH = 32;

    private static final Map<FaultTarget.Kind, List<Kind>> ACTIONS = Map.of(
            FaultTarget.Kind.READ,
            List.of(Kind.FLIP, Kind.ONES, Kind.DELAY, Kind.DUPLICATE, Kind.REMOVE, Kind.SIGBUS),
            FaultTarget.Kind.WRITE,
            List.of(Kind.FLIP, Kind.DROP, Kind.DUPLICATE, Kind.DELAY, Kind.HANG, Kind.REMOVE, Kind.SIGBUS),
            FaultTarget.Kind.INTERRUPT,
            List.of(Kind.DROP, Kind.SPURIOUS, Kind.DUPLICATE, Kind.DELAY, Kind.HANG, Kind.REMOVE),
            FaultTarget.Kind.DMA_IN,
            List.of(Kind.FLIP, Kind.ONES, Kind.DROP, Kind.DELAY),
            FaultTarget.Kind.DMA_OUT,
            List.of(Kind.FLIP, Kind.ONES, Kind.DROP),
            FaultTarget.Kind.COMMAND,
            List.of(Kind.DROP, Kind.HANG, Kind.REMOVE),
            FaultTarget.Kind.COMPLETION,
            List.of(
                    Kind.STATUS,
                    Kind.COMMAND,
                    Kind.PHASE,
                    Kind.DROP,
                    Kind.DUPLICATE,
                    Kind.DELAY,
                    Kind.HANG,
                    Kind.REMOVE));

    /** How often each place was touched, in the order of the first time. */
    private final Map<FaultTarget, Long> places = new LinkedHashMap<>();

    private final NavigableMap<Long, Integer> buffers = new TreeMap<>(Long::compareUnsigned);
    private final NvmeTraffic nvme = new NvmeTraffic();
    private final RandomGenerator random;

    private FaultGenerator(long seed) {
        random = RandomGeneratorFactory.<RandomGenerator>of("L64X128MixRandom").create(seed);
    }

    /**
     * Generates rules: for each place and each thing that can be done there one, which acts once, at a time that chance
     * takes among those that were recorded. They are meant to be tried one by one.
     *
     * @param recording a recording of the driver without faults
     * @param seed what chance is made of
     * @return the rules
     * @throws IOException if the recording cannot be read
     */
    public static FaultPlan generate(Path recording, long seed) throws IOException {
        FaultGenerator generator = new FaultGenerator(seed);
        try (RecordingReader reader = RecordingReader.open(recording)) {
            for (RecordedEvent event = reader.read(); event != null; event = reader.read()) {
                generator.see(event);
            }
        }
        List<FaultRule> rules = new ArrayList<>();
        generator.places.forEach((place, count) -> generator.rules(place, count, rules));
        return new FaultPlan(seed, rules);
    }

    private void see(RecordedEvent event) {
        switch (event) {
            case RecordedEvent.Read read -> {
                nvme.read(read.region(), read.offset(), read.value());
                touch(FaultTarget.Kind.READ, read.region(), read.offset(), FaultTarget.ANY_OPCODE, read.count());
            }
            case RecordedEvent.Write write -> {
                nvme.write(write.region(), write.offset(), write.widthBytes(), write.value())
                        .forEach(
                                command -> touch(FaultTarget.Kind.COMMAND, null, command.queue(), command.opcode(), 1));
                touch(FaultTarget.Kind.WRITE, write.region(), write.offset(), FaultTarget.ANY_OPCODE, 1);
            }
            case RecordedEvent.Allocated memory -> {
                buffers.put(memory.deviceAddress(), buffers.size());
                nvme.allocated(memory.deviceAddress(), memory.sizeBytes());
            }
            case RecordedEvent.ToDevice toDevice -> {
                nvme.toDevice(List.of(toDevice.store()));
                touchBuffer(FaultTarget.Kind.DMA_OUT, toDevice.store().deviceAddress());
            }
            case RecordedEvent.ToDriver toDriver -> {
                for (Completion completion : nvme.toDriver(List.of(toDriver.store()))) {
                    touch(FaultTarget.Kind.COMPLETION, null, completion.queue(), completion.opcode(), 1);
                }
                touchBuffer(FaultTarget.Kind.DMA_IN, toDriver.store().deviceAddress());
            }
            case RecordedEvent.Interrupts interrupts ->
                touch(FaultTarget.Kind.INTERRUPT, null, interrupts.vector(), FaultTarget.ANY_OPCODE, 1);
            default -> {
                // No place.
            }
        }
    }

    private void touchBuffer(FaultTarget.Kind kind, long address) {
        Map.Entry<Long, Integer> buffer = buffers.floorEntry(address);
        if (buffer != null) {
            touch(kind, null, buffer.getValue(), FaultTarget.ANY_OPCODE, 1);
        }
    }

    private void touch(FaultTarget.Kind kind, @Nullable Region region, long number, int opcode, long count) {
        places.merge(new FaultTarget(kind, region, number, number, opcode), count, Long::sum);
    }

    private void rules(FaultTarget place, long count, List<FaultRule> rules) {
        for (Kind kind : ACTIONS.getOrDefault(place.kind(), List.of())) {
            long nth = 1 + random.nextLong(Math.min(count, MOST_NTH));
            rules.add(new FaultRule(place, FaultTiming.once(nth), new FaultAction(kind, operand(kind))));
        }
    }

    private long operand(Kind kind) {
        return switch (kind) {
            case FLIP -> 1L << random.nextInt(Integer.SIZE);
            case DELAY -> DELAY.toNanos();
            case STATUS -> Status.INTERNAL_ERROR;
            case COMMAND -> WRONG_COMMAND_ID;
            default -> 0;
        };
    }
}
