package dev.outboard.virtio.vhost;

import dev.outboard.specs.virtio.VirtioDeviceType;
import dev.outboard.virtio.DescriptorChain;
import dev.outboard.virtio.DeviceQueue;
import dev.outboard.virtio.VirtioDevice;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** A device that writes back what it reads, has eight bytes of configuration that can be written, and takes notes. */
final class EchoDevice implements VirtioDevice {
    static final int QUEUES = 5;
    static final int QUEUE_SIZE = 64;
    static final long FEATURE = 1;
    /** Written to the first byte of the configuration, it has the device change the last one and say so. */
    static final int CHANGE = 0x99;

    private static final int CONFIGURATION_BYTES = 8;
    private static final int MOST_BYTES = 4096;

    private record Work(DeviceQueue queue, DescriptorChain chain) {}

    private final MemorySegment buffer = Arena.ofAuto().allocate(MOST_BYTES);
    private final byte[] configuration = new byte[CONFIGURATION_BYTES];
    private final int type;
    private List<Work> work = List.of();
    private Runnable configurationChanged = () -> {};
    volatile long features;
    private final AtomicInteger resets = new AtomicInteger();

    EchoDevice(int type) {
        this.type = type;
    }

    EchoDevice() {
        this(VirtioDeviceType.BLOCK);
    }

    /** How often it was reset, for any thread. */
    int resets() {
        return resets.get();
    }

    @Override
    public int type() {
        return type;
    }

    @Override
    public long features() {
        return FEATURE;
    }

    @Override
    public int queueCount() {
        return QUEUES;
    }

    @Override
    public int maximumQueueSize(int queue) {
        return QUEUE_SIZE;
    }

    @Override
    public int configurationBytes() {
        return CONFIGURATION_BYTES;
    }

    @Override
    public long readConfiguration(long offset, int widthBytes) {
        long value = 0;
        for (int i = 0; i < widthBytes && offset + i < CONFIGURATION_BYTES; i++) {
            value |= Byte.toUnsignedLong(configuration[(int) offset + i]) << (i * Byte.SIZE);
        }
        return value;
    }

    @Override
    public void writeConfiguration(long offset, int widthBytes, long value) {
        for (int i = 0; i < widthBytes && offset + i < CONFIGURATION_BYTES; i++) {
            configuration[(int) offset + i] = (byte) (value >>> (i * Byte.SIZE));
        }
        if (configuration[0] == (byte) CHANGE) {
            configuration[CONFIGURATION_BYTES - 1]++;
            configurationChanged.run();
        }
    }

    @Override
    public void start(long agreed, List<DeviceQueue> queues, Runnable changed) {
        List<Work> started = new ArrayList<>();
        queues.forEach(queue -> started.add(new Work(queue, new DescriptorChain(queue.memory()))));
        work = started;
        configurationChanged = changed;
        features = agreed;
    }

    @Override
    public void reset() {
        work = List.of();
        configurationChanged = () -> {};
        features = 0;
        resets.incrementAndGet();
    }

    @Override
    public int doWork() {
        int done = 0;
        for (Work each : work) {
            while (each.queue.take(each.chain)) {
                echo(each.queue, each.chain);
                done++;
            }
            each.queue.publish();
        }
        return done;
    }

    private void echo(DeviceQueue queue, DescriptorChain chain) {
        long length = Math.min(chain.readableBytes(), chain.writableBytes());
        if (length > MOST_BYTES || !chain.read(0, buffer, 0, length) || !chain.write(0, buffer, 0, length)) {
            queue.fail("an echo that cannot be");
        } else {
            queue.complete(chain, length);
        }
    }

    @Override
    public void close() {
        work = List.of();
    }
}
