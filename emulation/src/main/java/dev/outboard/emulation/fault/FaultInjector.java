package dev.outboard.emulation.fault;

import dev.outboard.driver.DeviceGoneException;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.InjectedBusError;
import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.memory.RegisterAccess;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/**
 * Does to a device what the rules of a {@link FaultPlan} say: an interposer for one opening of one function. Of several
 * rules that strike at once all act, in their order.
 */
public final class FaultInjector implements Interposer {
    private static final String RANDOM = "L64X128MixRandom";

    private static final Set<FaultTarget.Kind> OF_COMMANDS =
            EnumSet.of(FaultTarget.Kind.COMPLETION, FaultTarget.Kind.COMMAND);

    private enum Health {
        SOUND,
        HUNG,
        GONE
    }

    private final List<RuleState> rules = new ArrayList<>();
    private final NavigableMap<Long, Integer> buffers = new TreeMap<>(Long::compareUnsigned);
    private final DmaFaults dma;
    private final Consumer<Map<FaultRule, Long>> whenClosed;
    private final @Nullable CompletionFaults completions;
    private final Later<DmaStore> laterStores = new Later<>();
    private final Map<Integer, Later<Long>> laterInterrupts = new HashMap<>();
    private Health health = Health.SOUND;

    /**
     * Rules at the start of their counts.
     *
     * @param plan the rules
     */
    public FaultInjector(FaultPlan plan) {
        this(plan, acts -> {});
    }

    /**
     * Rules at the start of their counts.
     *
     * @param plan the rules
     * @param whenClosed told, when the function is closed, how often each rule has acted
     */
    public FaultInjector(FaultPlan plan, Consumer<Map<FaultRule, Long>> whenClosed) {
        this.whenClosed = whenClosed;
        RandomGenerator random =
                RandomGeneratorFactory.<RandomGenerator>of(RANDOM).create(plan.seed());
        long now = System.nanoTime();
        plan.rules().forEach(rule -> rules.add(new RuleState(rule, random, now)));
        List<RuleState> ofCompletions = rules.stream()
                .filter(state -> OF_COMMANDS.contains(state.rule().target().kind()))
                .toList();
        completions = ofCompletions.isEmpty() ? null : new CompletionFaults(ofCompletions, this::befall);
        dma = new DmaFaults(random);
    }

    /**
     * How often each rule has acted. For any thread that the function is not used on at the time.
     *
     * @return the counts, in the rules' order
     */
    public Map<FaultRule, Long> acts() {
        Map<FaultRule, Long> acts = new LinkedHashMap<>();
        rules.forEach(state -> acts.merge(state.rule(), state.acts(), Long::sum));
        return acts;
    }

    /** The rules that act on what is seen now. */
    private List<FaultAction> striking(FaultTarget.Kind kind, @Nullable Region region, long number) {
        List<FaultAction> striking = new ArrayList<>();
        for (RuleState state : rules) {
            if (state.rule().target().matches(kind, region, number) && state.strikes()) {
                FaultAction action = state.rule().action();
                befall(action);
                striking.add(action);
            }
        }
        return striking;
    }

    /** What happens to the device as a whole. */
    private void befall(FaultAction action) {
        switch (action.kind()) {
            case HANG -> health = health == Health.SOUND ? Health.HUNG : health;
            case REMOVE -> health = Health.GONE;
            default -> {
                // Concerns what was seen alone.
            }
        }
    }

    @Override
    public long read(Region region, long offset, int widthBytes, RegisterAccess device) {
        List<FaultAction> actions = striking(FaultTarget.Kind.READ, region, offset);
        actions.forEach(FaultInjector::beforeAccess);
        if (health == Health.GONE) {
            return -1;
        }
        long value = device.read(offset, widthBytes);
        for (FaultAction action : actions) {
            value = switch (action.kind()) {
                case DUPLICATE -> device.read(offset, widthBytes);
                default -> changed(value, action);
            };
        }
        if (completions != null) {
            completions.traffic().read(region, offset, value);
        }
        return value;
    }

    @Override
    public void write(Region region, long offset, int widthBytes, long value, RegisterAccess device) {
        List<FaultAction> actions = striking(FaultTarget.Kind.WRITE, region, offset);
        actions.forEach(FaultInjector::beforeAccess);
        if (completions != null) {
            completions.announced(completions.traffic().write(region, offset, widthBytes, value));
        }
        // A device that hangs is still configured by the bus.
        int times = health == Health.SOUND || (health == Health.HUNG && region == Region.CONFIG) ? 1 : 0;
        long written = value;
        for (FaultAction action : actions) {
            switch (action.kind()) {
                case DROP -> times = 0;
                case DUPLICATE -> times *= 2;
                default -> written = changed(written, action);
            }
        }
        for (int i = 0; i < times; i++) {
            device.write(offset, widthBytes, written);
        }
    }

    private static void beforeAccess(FaultAction action) {
        if (action.kind() == FaultAction.Kind.DELAY) {
            LockSupport.parkNanos(action.operand());
        } else if (action.kind() == FaultAction.Kind.SIGBUS) {
            throw new InjectedBusError();
        }
    }

    private static long changed(long value, FaultAction action) {
        return switch (action.kind()) {
            case FLIP -> value ^ action.operand();
            case STICK -> action.operand();
            case ONES -> -1;
            default -> value;
        };
    }

    @Override
    public void allocated(long deviceAddress, long sizeBytes) {
        buffers.put(deviceAddress, buffers.size());
        if (completions != null) {
            completions.traffic().allocated(deviceAddress, sizeBytes);
        }
    }

    private long bufferOf(DmaStore store) {
        Map.Entry<Long, Integer> below = buffers.floorEntry(store.deviceAddress());
        return below == null ? -1 : below.getValue();
    }

    @Override
    public List<DmaStore> toDevice(List<DmaStore> stores) {
        if (completions != null) {
            completions.traffic().toDevice(stores);
        }
        List<DmaStore> passed = new ArrayList<>();
        for (DmaStore store : stores) {
            List<FaultAction> actions = striking(FaultTarget.Kind.DMA_OUT, null, bufferOf(store));
            actions.forEach(FaultInjector::beforeAccess);
            DmaStore changed = dma.changed(store, actions);
            if (changed != null) {
                passed.add(changed);
            }
        }
        return passed;
    }

    @Override
    public List<DmaStore> toDriver(List<DmaStore> stores) {
        List<DmaStore> passed = new ArrayList<>(laterStores.due());
        List<DmaStore> seen = completions == null ? stores : completions.toDriver(stores);
        for (DmaStore store : seen) {
            List<FaultAction> actions = striking(FaultTarget.Kind.DMA_IN, null, bufferOf(store));
            DmaStore changed = dma.changed(store, actions);
            if (changed != null) {
                long delay = actions.stream()
                        .filter(action -> action.kind() == FaultAction.Kind.DELAY)
                        .mapToLong(FaultAction::operand)
                        .sum();
                if (delay > 0) {
                    laterStores.add(delay, changed);
                } else {
                    passed.add(changed);
                }
            }
        }
        return health == Health.SOUND ? passed : List.of();
    }

    @Override
    public long interrupts(int vector, long count) throws IOException {
        if (health == Health.GONE) {
            throw gone();
        }
        Later<Long> later = laterInterrupts.get(vector);
        long seen = count;
        if (later != null) {
            seen += later.due().stream().mapToLong(Long::longValue).sum();
        }
        // A rule about interrupts that do not come can act at any look, any other only where there is one.
        for (RuleState state : rules) {
            boolean spurious = state.rule().action().kind() == FaultAction.Kind.SPURIOUS;
            if ((count > 0 || spurious)
                    && state.rule().target().matches(FaultTarget.Kind.INTERRUPT, null, vector)
                    && state.strikes()) {
                FaultAction action = state.rule().action();
                befall(action);
                switch (action.kind()) {
                    case DROP -> seen = 0;
                    case SPURIOUS -> seen++;
                    case DUPLICATE -> seen *= 2;
                    case DELAY -> {
                        laterInterrupts
                                .computeIfAbsent(vector, _ -> new Later<>())
                                .add(action.operand(), seen);
                        seen = 0;
                    }
                    default -> {
                        // Concerns the device as a whole.
                    }
                }
            }
        }
        return health == Health.SOUND ? seen : 0;
    }

    @Override
    public void setBusMaster(boolean on, Controls device) {
        if (health != Health.GONE) {
            device.setBusMaster(on);
        }
    }

    @Override
    public void reset(Controls device) throws IOException {
        if (health == Health.GONE) {
            throw gone();
        }
        health = Health.SOUND;
        laterInterrupts.clear();
        laterStores.clear();
        if (completions != null) {
            completions.forget();
        }
        device.reset();
    }

    @Override
    public void checkPresent(Controls device) throws DeviceGoneException {
        if (health == Health.GONE) {
            throw gone();
        }
        device.checkPresent();
    }

    @Override
    public void closed() {
        whenClosed.accept(acts());
    }

    private static DeviceGoneException gone() {
        return new DeviceGoneException("the device was removed, as a fault rule says", null);
    }
}
