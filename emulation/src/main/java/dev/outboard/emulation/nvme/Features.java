package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.outboard.emulation.nvme.Reservations.Host;
import dev.outboard.memory.Field;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.CommandEffects;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import dev.outboard.specs.nvme.SubmissionEntry;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Get features and set features. NVMe base specification 2.0, 5.15 and 5.27. What is saved outlives resets, and ends with
 * the model.
 */
final class Features {
    private static final int NO_BURST_LIMIT = 7;
    private static final int OVER_TEMPERATURE_KELVIN = 343;
    private static final int ALL_SENSORS = 15;
    private static final int HIGHEST_POWER_STATE = IdentifyData.POWER_STATES - 1;
    private static final int COUNT_THAT_CANNOT_BE = 0xffff;
    private static final int WRITE_PROTECT = 1;
    private static final int SHORT_HOST_ID_BYTES = 8;
    private static final int EXTENDED_HOST_ID_BYTES = 16;
    private static final int CHANGE = Feature.CAN_BE_CHANGED;
    private static final int SAVE = Feature.CAN_BE_CHANGED | Feature.CAN_BE_SAVED;
    private static final int OF_NAMESPACE = Feature.CAN_BE_CHANGED | Feature.IS_NAMESPACE_SPECIFIC;
    private static final int SCOPE_NAMESPACE = 1 << 20;
    private static final int SCOPE_CONTROLLER = 1 << 21;
    private static final int SUPPORTED = 1;

    private final Namespaces namespaces;
    private final DataPointer pointer;
    private final MemorySegment page;
    private final int vectors;
    private final int queueCounts;
    private final SequencedMap<Integer, Definition> definitions = new LinkedHashMap<>();
    private final Map<Long, Integer> current = new HashMap<>();
    private final Map<Long, Integer> saved = new HashMap<>();
    private final Map<Integer, byte[]> currentData = new HashMap<>();
    private final Map<Integer, byte[]> savedData = new HashMap<>();
    private final Clock clock = new Clock();
    private Host host = Host.ANONYMOUS;
    private boolean hostExtended;
    private boolean ioQueuesThere;
    private @Nullable HostMemory hostMemory;
    private IntConsumer listener = feature -> {};

    /** A feature: what can be done with it, its default, and the size of its data if it is no number. */
    private record Definition(int capabilities, int initial, int dataBytes) {}

    Features(Namespaces namespaces, DataPointer pointer, MemorySegment page, int ioQueues, int vectors) {
        this.namespaces = namespaces;
        this.pointer = pointer;
        this.page = page;
        this.vectors = vectors;
        // Both counts are less one.
        queueCounts = (int) (Feature.SUBMISSION_QUEUES.of(ioQueues - 1L) | Feature.COMPLETION_QUEUES.of(ioQueues - 1L));
        define(Feature.ARBITRATION, SAVE, NO_BURST_LIMIT);
        define(Feature.POWER_MANAGEMENT, SAVE, 0);
        define(Feature.TEMPERATURE_THRESHOLD, SAVE, OVER_TEMPERATURE_KELVIN);
        define(Feature.ERROR_RECOVERY, SAVE | Feature.IS_NAMESPACE_SPECIFIC, 0);
        define(Feature.VOLATILE_WRITE_CACHE, SAVE, 1);
        define(Feature.NUMBER_OF_QUEUES, CHANGE, queueCounts);
        define(Feature.INTERRUPT_COALESCING, SAVE, 0);
        define(Feature.INTERRUPT_VECTOR_CONFIGURATION, SAVE, 0);
        define(Feature.WRITE_ATOMICITY, SAVE, 0);
        define(Feature.ASYNCHRONOUS_EVENT_CONFIGURATION, SAVE, (int) (AsynchronousEvent.ENABLE_WARNINGS.mask()
                | AsynchronousEvent.ENABLE_NAMESPACES.mask()
                | AsynchronousEvent.ENABLE_FIRMWARE.mask()));
        defineData(Feature.AUTONOMOUS_POWER_STATE, SAVE, 256);
        defineData(Feature.TIMESTAMP, CHANGE, Long.BYTES);
        define(Feature.KEEP_ALIVE_TIMER, CHANGE, 0);
        define(Feature.NON_OPERATIONAL_POWER_STATE, CHANGE, 0);
        defineData(Feature.HOST_BEHAVIOR_SUPPORT, CHANGE, Feature.HOST_BEHAVIOR_BYTES);
        define(Feature.SANITIZE_CONFIGURATION, CHANGE, 0);
        define(Feature.COMMAND_SET_PROFILE, CHANGE, 0);
        define(Feature.SOFTWARE_PROGRESS_MARKER, SAVE, 0);
        defineData(Feature.HOST_IDENTIFIER, CHANGE, EXTENDED_HOST_ID_BYTES);
        define(Feature.RESERVATION_NOTIFICATION_MASK, OF_NAMESPACE, 0);
        define(Feature.RESERVATION_PERSISTENCE, OF_NAMESPACE, 0);
        define(Feature.WRITE_PROTECTION, OF_NAMESPACE, 0);
    }

    private void define(int feature, int capabilities, int initial) {
        definitions.put(feature, new Definition(capabilities, initial, 0));
    }

    private void defineData(int feature, int capabilities, int bytes) {
        definitions.put(feature, new Definition(capabilities, 0, bytes));
    }

    void addTo(AdminCommands commands) {
        commands.add(Opcode.GET_FEATURES, 0, this::get);
        commands.add(Opcode.SET_FEATURES, CommandEffects.CHANGES_CONTROLLER, this::set);
    }

    /** Sets who hears of a feature that has changed, by its identifier. */
    void onChange(IntConsumer changed) {
        listener = changed;
    }

    /** The controller has a host memory buffer, whose feature is its own. */
    void addHostMemory(HostMemory buffer) {
        hostMemory = buffer;
        defineData(Feature.HOST_MEMORY_BUFFER, CHANGE, (int) Feature.HOST_MEMORY_ATTRIBUTES.byteSize());
    }

    /** A controller level reset: what was saved is in effect again, else the default. */
    void reset() {
        current.clear();
        currentData.clear();
        host = Host.ANONYMOUS;
        hostExtended = false;
        ioQueuesThere = false;
        if (hostMemory != null) {
            hostMemory.reset();
        }
        definitions.keySet().forEach(listener::accept);
    }

    /** Once there are I/O queues, their number cannot be negotiated any more. */
    void setIoQueuesThere(boolean there) {
        ioQueuesThere = there;
    }

    /** The value of a feature of which there is one. */
    int value(int feature) {
        return value(feature, 0);
    }

    /** The value of a feature that vectors, sensors or namespaces have; which one is said as in {@link #selector}. */
    int value(int feature, int selector) {
        Namespace namespace = namespaces.get(selector);
        if (feature == Feature.WRITE_PROTECTION) {
            return namespace != null && namespace.isWriteProtected() ? 1 : 0;
        }
        if (feature == Feature.RESERVATION_PERSISTENCE) {
            return namespace != null && namespace.reservations().isPersistent() ? 1 : 0;
        }
        Integer value = current.get(key(feature, selector));
        return value != null ? value : savedOrInitial(feature, selector);
    }

    private int savedOrInitial(int feature, int selector) {
        Integer value = saved.get(key(feature, selector));
        return value != null ? value : initial(feature, selector);
    }

    private static long key(int feature, int selector) {
        return (long) feature << Integer.SIZE | selector;
    }

    private int initial(int feature, int selector) {
        if (feature == Feature.INTERRUPT_VECTOR_CONFIGURATION) {
            return selector;
        }
        boolean isUnderTemperature = feature == Feature.TEMPERATURE_THRESHOLD && Feature.THRESHOLD_TYPE.isSet(selector);
        Definition definition = definitions.get(feature);
        return definition == null || isUnderTemperature ? 0 : definition.initial;
    }

    /** Which of a feature's values is meant. */
    private static int selector(Definition definition, int feature, int dword11, int namespace) {
        if ((definition.capabilities & Feature.IS_NAMESPACE_SPECIFIC) != 0) {
            return namespace;
        }
        return switch (feature) {
            case Feature.INTERRUPT_VECTOR_CONFIGURATION -> (int) Feature.VECTOR.get(dword11);
            case Feature.TEMPERATURE_THRESHOLD -> dword11 & (int) Feature.THRESHOLD_TYPE.mask();
            default -> 0;
        };
    }

    /** Who the host says it is. */
    Host host() {
        return host;
    }

    /** Whether the host says that it knows extended LBA formats. */
    boolean knowsExtendedFormats() {
        byte[] behavior = currentData.get(Feature.HOST_BEHAVIOR_SUPPORT);
        return behavior != null && behavior[(int) Feature.LBAFEE] == 1;
    }

    boolean isHostExtended() {
        return hostExtended;
    }

    private int get(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int feature = (int) SubmissionEntry.FEATURE_ID.get(dword10);
        int select = (int) Feature.SELECT.get(dword10);
        Definition definition = definitions.get(feature);
        if (definition == null || select > Feature.SELECT_CAPABILITIES) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        if (select == Feature.SELECT_CAPABILITIES) {
            command.result(definition.capabilities);
            return Status.SUCCESS;
        }
        int status = checkSelector(command, definition, feature);
        if (status != Status.SUCCESS) {
            return status;
        }
        if (definition.dataBytes != 0) {
            return getData(command, definition, feature, select);
        }
        int selector = selector(definition, feature, command.dword(SubmissionEntry.CDW11), command.namespaceId());
        command.result(Integer.toUnsignedLong(
                switch (select) {
                    case Feature.SELECT_CURRENT -> value(feature, selector);
                    case Feature.SELECT_DEFAULT -> initial(feature, selector);
                    default -> savedOrInitial(feature, selector);
                }));
        return Status.SUCCESS;
    }

    private int checkSelector(Command command, Definition definition, int feature) {
        int dword11 = command.dword(SubmissionEntry.CDW11);
        if ((definition.capabilities & Feature.IS_NAMESPACE_SPECIFIC) != 0) {
            return namespaces.check(command);
        }
        long sensor = Feature.THRESHOLD_SENSOR.get(dword11);
        boolean wrong = switch (feature) {
            case Feature.INTERRUPT_VECTOR_CONFIGURATION -> Feature.VECTOR.get(dword11) >= vectors;
            case Feature.TEMPERATURE_THRESHOLD ->
                (sensor != 0 && sensor != ALL_SENSORS) || Feature.THRESHOLD_TYPE.get(dword11) > 1;
            default -> false;
        };
        return wrong ? command.invalid(SubmissionEntry.CDW11) : Status.SUCCESS;
    }

    private int getData(Command command, Definition definition, int feature, int select) {
        page.fill((byte) 0);
        command.result(Integer.toUnsignedLong(value(feature)));
        int bytes = definition.dataBytes;
        if (feature == Feature.HOST_MEMORY_BUFFER && hostMemory != null) {
            if (select == Feature.SELECT_CURRENT) {
                command.result(hostMemory.describe(page));
            }
        } else if (feature == Feature.TIMESTAMP && select == Feature.SELECT_CURRENT) {
            page.set(JAVA_LONG, 0, clock.read());
        } else if (feature == Feature.HOST_IDENTIFIER) {
            boolean extended = Feature.EXTENDED_HOST_ID.isSet(command.dword(SubmissionEntry.CDW11));
            bytes = extended ? EXTENDED_HOST_ID_BYTES : SHORT_HOST_ID_BYTES;
            if (select == Feature.SELECT_CURRENT) {
                host.copyTo(page);
            }
        } else {
            byte[] stored = select == Feature.SELECT_CURRENT ? currentData.get(feature) : null;
            stored = stored == null && select != Feature.SELECT_DEFAULT ? savedData.get(feature) : stored;
            if (stored != null) {
                page.copyFrom(MemorySegment.ofArray(stored));
            }
        }
        return pointer.toHost(command, page, 0, bytes);
    }

    private int set(Command command) {
        int dword10 = command.dword(SubmissionEntry.CDW10);
        int dword11 = command.dword(SubmissionEntry.CDW11);
        int feature = (int) SubmissionEntry.FEATURE_ID.get(dword10);
        Definition definition = definitions.get(feature);
        if (definition == null) {
            return command.invalid(SubmissionEntry.CDW10);
        }
        boolean saves = Feature.SAVE.isSet(dword10);
        if (saves && (definition.capabilities & Feature.CAN_BE_SAVED) == 0) {
            return command.invalid(SubmissionEntry.CDW10, Status.FEATURE_NOT_SAVEABLE);
        }
        boolean ofNamespace = (definition.capabilities & Feature.IS_NAMESPACE_SPECIFIC) != 0;
        boolean toAll = command.namespaceId() == Command.ALL_NAMESPACES;
        if (!ofNamespace && !toAll && command.namespaceId() != 0) {
            return command.invalid(SubmissionEntry.NSID, Status.FEATURE_NOT_NAMESPACE_SPECIFIC);
        }
        if (feature == Feature.HOST_MEMORY_BUFFER && hostMemory != null) {
            return hostMemory.set(command);
        }
        int status = ofNamespace && toAll ? Status.SUCCESS : checkSelector(command, definition, feature);
        if (status == Status.SUCCESS) {
            status = definition.dataBytes != 0
                    ? setData(command, definition, feature, saves)
                    : checkValue(command, feature, dword11);
        }
        if (status != Status.SUCCESS || definition.dataBytes != 0) {
            return status;
        }
        if (ofNamespace && toAll) {
            namespaces.forEach(namespace -> store(feature, namespace.id(), dword11, saves));
        } else {
            store(feature, selector(definition, feature, dword11, command.namespaceId()), dword11, saves);
        }
        if (feature == Feature.NUMBER_OF_QUEUES) {
            command.result(Integer.toUnsignedLong(queueCounts));
        }
        return Status.SUCCESS;
    }

    private void store(int feature, int selector, int value, boolean saves) {
        // What the host asks for is not what it gets.
        if (feature == Feature.NUMBER_OF_QUEUES) {
            return;
        }
        // Namespaces keep these themselves: they outlive resets, and end with the namespace.
        Namespace namespace = namespaces.get(selector);
        if (feature == Feature.WRITE_PROTECTION && namespace != null) {
            namespace.setWriteProtected(value != 0);
        } else if (feature == Feature.RESERVATION_PERSISTENCE && namespace != null) {
            namespace.reservations().setPersistent((value & 1) != 0);
        } else {
            current.put(key(feature, selector), value);
        }
        if (saves) {
            saved.put(key(feature, selector), value);
        }
        listener.accept(feature);
    }

    private int checkValue(Command command, int feature, int value) {
        return switch (feature) {
            case Feature.NUMBER_OF_QUEUES -> checkQueueCounts(command, value);
            case Feature.POWER_MANAGEMENT -> atMost(command, Feature.POWER_STATE, HIGHEST_POWER_STATE);
            case Feature.WRITE_PROTECTION -> atMost(command, Feature.WRITE_PROTECTION_STATE, WRITE_PROTECT);
            case Feature.COMMAND_SET_PROFILE ->
                value == 0
                        ? Status.SUCCESS
                        : command.invalid(SubmissionEntry.CDW11, Status.COMMAND_SET_COMBINATION_REJECTED);
            default -> Status.SUCCESS;
        };
    }

    private static int atMost(Command command, Field field, int highest) {
        return field.get(command.dword(SubmissionEntry.CDW11)) > highest
                ? command.invalid(SubmissionEntry.CDW11)
                : Status.SUCCESS;
    }

    private int checkQueueCounts(Command command, int value) {
        if (ioQueuesThere) {
            return Status.SEQUENCE_ERROR;
        }
        return Feature.SUBMISSION_QUEUES.get(value) == COUNT_THAT_CANNOT_BE
                        || Feature.COMPLETION_QUEUES.get(value) == COUNT_THAT_CANNOT_BE
                ? command.invalid(SubmissionEntry.CDW11)
                : Status.SUCCESS;
    }

    private int setData(Command command, Definition definition, int feature, boolean saves) {
        boolean extended = Feature.EXTENDED_HOST_ID.isSet(command.dword(SubmissionEntry.CDW11));
        int bytes = feature == Feature.HOST_IDENTIFIER && !extended ? SHORT_HOST_ID_BYTES : definition.dataBytes;
        page.fill((byte) 0);
        int status = pointer.fromHost(command, page, 0, bytes);
        if (status != Status.SUCCESS) {
            return status;
        }
        switch (feature) {
            case Feature.TIMESTAMP -> clock.set(page.get(JAVA_LONG, 0));
            case Feature.HOST_IDENTIFIER -> {
                host = new Host(page.get(JAVA_LONG, 0), page.get(JAVA_LONG, Long.BYTES));
                hostExtended = extended;
            }
            default -> {
                byte[] data = page.asSlice(0, bytes).toArray(JAVA_BYTE);
                currentData.put(feature, data);
                if (saves) {
                    savedData.put(feature, data);
                }
                if (feature == Feature.AUTONOMOUS_POWER_STATE) {
                    store(feature, 0, command.dword(SubmissionEntry.CDW11), saves);
                }
            }
        }
        return Status.SUCCESS;
    }

    /** Writes the log page of features and their effects, 4 bytes for each identifier. 5.16.1.18. */
    void describe(MemorySegment log) {
        definitions.forEach((feature, definition) -> log.set(
                JAVA_INT,
                (long) feature * Integer.BYTES,
                SUPPORTED
                        | ((definition.capabilities & Feature.IS_NAMESPACE_SPECIFIC) != 0
                                ? SCOPE_NAMESPACE
                                : SCOPE_CONTROLLER)));
    }

    /** The feature's clock: milliseconds since 1970 as the host set it, else since the start. 5.27.1.11. */
    private static final class Clock {
        private static final long MILLIS_MASK = (1L << 48) - 1;
        private static final long NANOS_PER_MILLI = 1_000_000;
        private static final long SET_BY_HOST = 1L << 49;

        private long startNanos = System.nanoTime();
        private long startMillis;
        private long origin;

        void set(long timestamp) {
            startMillis = timestamp & MILLIS_MASK;
            startNanos = System.nanoTime();
            origin = SET_BY_HOST;
        }

        long read() {
            long elapsedMillis = (System.nanoTime() - startNanos) / NANOS_PER_MILLI;
            return ((startMillis + elapsedMillis) & MILLIS_MASK) | origin;
        }
    }
}
