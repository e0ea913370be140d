package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A namespace whose zones are written in order, over a queue pair of its own. Calls block, and those of several threads
 * take turns. Zones are named by their first block. It is read as any namespace, by {@link QueuePair} or {@link
 * NvmeBlockDevice}.
 */
public final class ZonedNamespace implements AutoCloseable {
    private static final int DEPTH = 1;
    private static final int REPORT_BYTES = 4096;

    private final NvmeNamespace namespace;
    private final ZoneInformation zones;
    private final Duration timeout;
    private final QueuePair queue;
    private final DmaMemory report;

    /**
     * Creates the view, and its queue pair.
     *
     * @param controller the namespace's controller
     * @param namespace the namespace
     * @param waiting how to wait for the controller
     * @throws IllegalArgumentException if the namespace has no zones
     * @throws IOException if the queue pair cannot be created
     */
    public ZonedNamespace(NvmeController controller, NvmeNamespace namespace, Waiting waiting) throws IOException {
        this.namespace = namespace;
        zones = namespace.requireZones();
        timeout = controller.commandTimeout();
        queue = controller.createQueuePair(DEPTH, waiting);
        try {
            report = controller.dma().allocate(REPORT_BYTES);
        } catch (IOException e) {
            queue.close();
            throw e;
        }
    }

    /**
     * All zones.
     *
     * @return the zones, by rising block
     * @throws IOException if the device fails, or reports what cannot be
     */
    public synchronized List<ZoneDescriptor> report() throws IOException {
        List<ZoneDescriptor> all = new ArrayList<>();
        long end = zones.count() * zones.zoneBlocks();
        for (long from = 0; from < end; ) {
            execute(ZoneCommand.report(namespace, from, null, report));
            List<ZoneDescriptor> some = ZoneDescriptor.listOf(namespace, report.segment());
            if (some.isEmpty() || some.getFirst().firstBlock() != from) {
                throw new DeviceException(
                        queue + " leaves the zone at block " + from + " of " + namespace + " out of its report");
            }
            all.addAll(some);
            from = some.getLast().firstBlock() + zones.zoneBlocks();
        }
        return List.copyOf(all);
    }

    /**
     * One zone.
     *
     * @param zone its first block
     * @return what it is like now
     * @throws IOException if the device fails, or reports what cannot be
     */
    public synchronized ZoneDescriptor report(long zone) throws IOException {
        zones.checkFirstBlock(zone);
        execute(ZoneCommand.report(namespace, zone, null, report));
        return ZoneDescriptor.listOf(namespace, report.segment()).stream()
                .filter(descriptor -> descriptor.firstBlock() == zone)
                .findFirst()
                .orElseThrow(() -> new DeviceException(queue + " does not report the zone at block " + zone));
    }

    /**
     * Empties a zone: what is in it is lost.
     *
     * @param zone its first block
     * @throws IOException if the device fails
     */
    public void reset(long zone) throws IOException {
        execute(ZoneCommand.send(namespace, Zone.RESET, zone));
    }

    /**
     * Empties all zones: what is in them is lost.
     *
     * @throws IOException if the device fails
     */
    public void resetAll() throws IOException {
        execute(ZoneCommand.sendToAll(namespace, Zone.RESET));
    }

    /**
     * Opens a zone, so that it stays open until it is closed, finished or reset.
     *
     * @param zone its first block
     * @throws IOException if the device fails, for example because too many are open
     */
    public void open(long zone) throws IOException {
        execute(ZoneCommand.send(namespace, Zone.OPEN, zone));
    }

    /**
     * Closes a zone, so that another can be open.
     *
     * @param zone its first block
     * @throws IOException if the device fails
     */
    public void close(long zone) throws IOException {
        execute(ZoneCommand.send(namespace, Zone.CLOSE, zone));
    }

    /**
     * Makes a zone full.
     *
     * @param zone its first block
     * @throws IOException if the device fails
     */
    public void finish(long zone) throws IOException {
        execute(ZoneCommand.send(namespace, Zone.FINISH, zone));
    }

    /**
     * Writes blocks wherever the zone has come to.
     *
     * @param zone its first block
     * @param buffer what to write; its size is a multiple of the block's
     * @return the first block that was written
     * @throws IOException if the device fails, for example because the zone has no room
     */
    public synchronized long append(long zone, DmaMemory buffer) throws IOException {
        long most = zones.maximumAppendBytes();
        if (most != 0 && buffer.sizeBytes() > most) {
            throw new IllegalArgumentException(
                    "cannot append " + buffer.sizeBytes() + " bytes at once: " + queue + " takes up to " + most);
        }
        int blocks = Math.toIntExact(buffer.sizeBytes() / namespace.extendedBlockBytes());
        NvmeRequest request =
                queue.submit(ZoneCommand.append(namespace, zone, blocks).data(buffer));
        request.await(timeout);
        long block = request.longResult();
        if (block < zone || block > zone + zones.zoneBlocks() - blocks) {
            throw new DeviceException(queue + " appended to the zone at block " + zone + ", and says that this went to"
                    + " block " + Long.toUnsignedString(block) + ", which is outside of it");
        }
        return block;
    }

    private synchronized void execute(NvmeCommand command) throws IOException {
        queue.submit(command).await(timeout);
    }

    @Override
    public synchronized void close() {
        queue.close();
        report.close();
    }
}
