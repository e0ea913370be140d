package dev.outboard.emulation.nvme;

import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.Status;
import java.util.HashMap;
import java.util.Map;

/** Get features and set features. NVMe base specification 2.0, 5.15 and 5.27. Nothing is saved beyond a reset. */
final class Features {
    private static final int SELECT_SHIFT = 8;
    private static final int SELECT_MASK = 7;
    private static final int SELECT_CURRENT = 0;
    private static final int SELECT_CAPABILITIES = 3;
    private static final int CAPABILITY_CHANGEABLE = 4;
    private static final int SAVE = 1 << 31;
    private static final int HALF_MASK = 0xffff;
    private static final int NO_BURST_LIMIT = 7;
    private static final int OVER_TEMPERATURE_KELVIN = 343;
    private static final int UNDER_TEMPERATURE_SELECT = 0x100000;
    private static final int DO_NOT_RETRY = IoCommands.DO_NOT_RETRY;

    private final int vectors;
    private final int queueCounts;
    private final Map<Integer, Integer> values = new HashMap<>();

    Features(int ioQueues, int vectors) {
        this.vectors = vectors;
        // Both counts are less one.
        queueCounts = (ioQueues - 1) << Short.SIZE | (ioQueues - 1);
    }

    void reset() {
        values.clear();
    }

    long get(int dword10, int dword11) {
        int feature = dword10 & 0xff;
        int select = dword10 >>> SELECT_SHIFT & SELECT_MASK;
        if (!isKnown(feature, dword11) || select > SELECT_CAPABILITIES) {
            return Completion.status(Status.INVALID_FIELD | DO_NOT_RETRY);
        }
        if (select == SELECT_CAPABILITIES) {
            return Completion.success(CAPABILITY_CHANGEABLE);
        }
        int key = key(feature, dword11);
        int otherwise = initial(feature, dword11);
        return Completion.success(select == SELECT_CURRENT ? values.getOrDefault(key, otherwise) : otherwise);
    }

    long set(int dword10, int dword11, boolean hasIoQueues) {
        int feature = dword10 & 0xff;
        if (!isKnown(feature, dword11)) {
            return Completion.status(Status.INVALID_FIELD | DO_NOT_RETRY);
        }
        if ((dword10 & SAVE) != 0) {
            return Completion.status(Status.FEATURE_NOT_SAVEABLE | DO_NOT_RETRY);
        }
        if (feature == Feature.NUMBER_OF_QUEUES) {
            if (hasIoQueues) {
                return Completion.status(Status.SEQUENCE_ERROR | DO_NOT_RETRY);
            }
            // 65,535 is "less one" of a count that cannot be.
            if ((dword11 & HALF_MASK) == HALF_MASK || dword11 >>> Short.SIZE == HALF_MASK) {
                return Completion.status(Status.INVALID_FIELD | DO_NOT_RETRY);
            }
            return Completion.success(queueCounts);
        }
        if (feature == Feature.POWER_MANAGEMENT && (dword11 & 0x1f) != 0) {
            // There is one power state, 0.
            return Completion.status(Status.INVALID_FIELD | DO_NOT_RETRY);
        }
        values.put(key(feature, dword11), dword11);
        return Completion.success(0);
    }

    private boolean isKnown(int feature, int dword11) {
        return switch (feature) {
            case Feature.ARBITRATION,
                    Feature.POWER_MANAGEMENT,
                    Feature.TEMPERATURE_THRESHOLD,
                    Feature.ERROR_RECOVERY,
                    Feature.VOLATILE_WRITE_CACHE,
                    Feature.NUMBER_OF_QUEUES,
                    Feature.INTERRUPT_COALESCING,
                    Feature.WRITE_ATOMICITY,
                    Feature.ASYNCHRONOUS_EVENT_CONFIGURATION -> true;
            case Feature.INTERRUPT_VECTOR_CONFIGURATION -> (dword11 & HALF_MASK) < vectors;
            default -> false;
        };
    }

    // Some features have a value for each vector or sensor; which one is in dword 11.
    private static int key(int feature, int dword11) {
        return switch (feature) {
            case Feature.INTERRUPT_VECTOR_CONFIGURATION -> feature << Short.SIZE | (dword11 & HALF_MASK);
            case Feature.TEMPERATURE_THRESHOLD -> feature << Short.SIZE | dword11 >>> Short.SIZE;
            default -> feature << Short.SIZE;
        };
    }

    private int initial(int feature, int dword11) {
        return switch (feature) {
            case Feature.ARBITRATION -> NO_BURST_LIMIT;
            case Feature.TEMPERATURE_THRESHOLD ->
                (dword11 & UNDER_TEMPERATURE_SELECT) != 0 ? 0 : OVER_TEMPERATURE_KELVIN;
            case Feature.VOLATILE_WRITE_CACHE -> 1;
            case Feature.NUMBER_OF_QUEUES -> queueCounts;
            case Feature.INTERRUPT_VECTOR_CONFIGURATION -> dword11 & HALF_MASK;
            default -> 0;
        };
    }
}
