package dev.outboard.emulation.fault;

import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.NvmeTraffic;
import dev.outboard.emulation.interpose.NvmeTraffic.Command;
import dev.outboard.emulation.interpose.NvmeTraffic.Completion;
import dev.outboard.specs.nvme.CompletionEntry;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** What is done to the completions of an NVMe controller, and to its commands: when these complete. */
final class CompletionFaults {
    private final List<RuleState> rules;
    private final Consumer<FaultAction> befall;
    private final NvmeTraffic traffic = new NvmeTraffic();
    private final Later<DmaStore> later = new Later<>();
    /** What becomes of commands that are not completed yet, by queue and identifier. */
    private final Map<Long, List<FaultAction>> doomed = new HashMap<>();

    /**
     * Rules about completions and commands.
     *
     * @param befall does what concerns the device as a whole
     */
    CompletionFaults(List<RuleState> rules, Consumer<FaultAction> befall) {
        this.rules = rules;
        this.befall = befall;
    }

    NvmeTraffic traffic() {
        return traffic;
    }

    private static long key(int queue, int commandId) {
        return (long) queue << Short.SIZE | commandId;
    }

    /** The driver announces commands, before the device hears of it. */
    void announced(List<Command> commands) {
        for (Command command : commands) {
            List<FaultAction> actions = striking(FaultTarget.Kind.COMMAND, command.queue(), command.opcode());
            doomed.remove(key(command.queue(), command.commandId()));
            if (!actions.isEmpty()) {
                doomed.put(key(command.queue(), command.commandId()), actions);
            }
        }
    }

    private List<FaultAction> striking(FaultTarget.Kind kind, int queue, int opcode) {
        List<FaultAction> actions = new ArrayList<>();
        for (RuleState state : rules) {
            if (state.rule().target().matchesCommand(kind, queue, opcode) && state.strikes()) {
                befall.accept(state.rule().action());
                actions.add(state.rule().action());
            }
        }
        return actions;
    }

    /** What the driver shall find of what the device stored. */
    List<DmaStore> toDriver(List<DmaStore> stores) {
        List<DmaStore> seen = new ArrayList<>(later.due());
        List<DmaStore> changed = new ArrayList<>(stores);
        for (Completion completion : traffic.toDriver(stores)) {
            List<FaultAction> announced = doomed.remove(key(completion.queue(), completion.commandId()));
            if (announced != null) {
                announced.forEach(action -> act(action, completion, changed));
            }
            striking(FaultTarget.Kind.COMPLETION, completion.queue(), completion.opcode())
                    .forEach(action -> act(action, completion, changed));
        }
        seen.addAll(changed);
        return seen;
    }

    private void act(FaultAction action, Completion completion, List<DmaStore> stores) {
        DmaStore entry = traffic.entry(completion);
        int last = ByteBuffer.wrap(entry.bytes()).order(ByteOrder.LITTLE_ENDIAN).getInt((int) CompletionEntry.DW3);
        switch (action.kind()) {
            case STATUS -> overlay(lastWord(completion, CompletionEntry.STATUS.set(last, action.operand())), stores);
            case COMMAND ->
                overlay(lastWord(completion, CompletionEntry.COMMAND_ID.set(last, action.operand())), stores);
            case PHASE ->
                overlay(
                        lastWord(completion, CompletionEntry.PHASE.set(last, 1 - CompletionEntry.PHASE.get(last))),
                        stores);
            case DROP -> cutOut(completion.deviceAddress(), stores);
            case DELAY -> {
                cutOut(completion.deviceAddress(), stores);
                later.add(action.operand(), entry);
            }
            // Where the next one belongs, which may have come already.
            case DUPLICATE -> stores.add(new DmaStore(completion.nextAddress(), entry.bytes()));
            default -> {
                // Concerns the device as a whole.
            }
        }
    }

    private static DmaStore lastWord(Completion completion, long word) {
        byte[] bytes = ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) word)
                .array();
        return new DmaStore(completion.deviceAddress() + CompletionEntry.DW3, bytes);
    }

    /** Puts a word in the place of what was stored there, which nobody shall find before. */
    private static void overlay(DmaStore word, List<DmaStore> stores) {
        for (int i = 0; i < stores.size(); i++) {
            DmaStore store = stores.get(i);
            long offset = word.deviceAddress() - store.deviceAddress();
            if (offset >= 0 && offset + word.bytes().length <= store.bytes().length) {
                byte[] bytes = store.bytes().clone();
                System.arraycopy(word.bytes(), 0, bytes, (int) offset, word.bytes().length);
                stores.set(i, new DmaStore(store.deviceAddress(), bytes));
                return;
            }
        }
        stores.add(word);
    }

    /** Takes an entry out of what was stored. */
    private static void cutOut(long address, List<DmaStore> stores) {
        List<DmaStore> before = List.copyOf(stores);
        stores.clear();
        for (DmaStore store : before) {
            int length = store.bytes().length;
            long offset = address - store.deviceAddress();
            part(store, 0, Math.clamp(offset, 0, length), stores);
            part(store, Math.clamp(offset + CompletionEntry.SIZE_BYTES, 0, length), length, stores);
        }
    }

    private static void part(DmaStore store, int from, int to, List<DmaStore> parts) {
        if (from < to) {
            parts.add(new DmaStore(store.deviceAddress() + from, Arrays.copyOfRange(store.bytes(), from, to)));
        }
    }

    void forget() {
        later.clear();
        doomed.clear();
    }
}
