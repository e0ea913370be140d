package dev.outboard.nvme;

import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Zone;
import org.jspecify.annotations.Nullable;

/**
 * The commands on zones, for those who submit commands themselves; {@link ZonedNamespace} does and checks the same, one
 * call at a time. Zoned namespace command set specification 1.1, 3.4.
 */
public final class ZoneCommand {
    private ZoneCommand() {}

    /**
     * Changes the state of a zone.
     *
     * @param namespace where
     * @param action {@link Zone#OPEN}, {@link Zone#CLOSE}, {@link Zone#FINISH}, {@link Zone#RESET} or {@link Zone#OFFLINE}
     * @param zone its first block
     * @return the command
     */
    public static NvmeCommand send(NvmeNamespace namespace, int action, long zone) {
        namespace.requireZones().checkFirstBlock(zone);
        return NvmeCommand.at(Opcode.ZONE_MANAGEMENT_SEND, namespace, zone)
                .dword(13, (int) Zone.SEND_ACTION.of(action));
    }

    /**
     * Changes the state of all zones that the action can change.
     *
     * @param namespace where
     * @param action as of {@link #send}
     * @return the command
     */
    public static NvmeCommand sendToAll(NvmeNamespace namespace, int action) {
        namespace.requireZones();
        return NvmeCommand.at(Opcode.ZONE_MANAGEMENT_SEND, namespace, 0)
                .dword(13, (int) (Zone.SEND_ACTION.of(action) | Zone.SELECT_ALL.mask()));
    }

    /**
     * Asks for zones: {@link ZoneDescriptor#listOf} reads the answer.
     *
     * @param namespace where
     * @param fromBlock the first block of the first zone, or any in it
     * @param state which ones; null for all
     * @param report where to; one zone takes 64 bytes, and the head as many
     * @return the command
     */
    public static NvmeCommand report(
            NvmeNamespace namespace, long fromBlock, @Nullable ZoneState state, DmaMemory report) {
        namespace.requireZones();
        long select = Zone.RECEIVE_SELECT.of(state == null ? 0 : state.selection());
        return NvmeCommand.at(Opcode.ZONE_MANAGEMENT_RECEIVE, namespace, fromBlock)
                .dword(12, (int) (report.sizeBytes() / Integer.BYTES - 1))
                .dword(13, (int) (Zone.RECEIVE_ACTION.of(Zone.REPORT) | select | Zone.PARTIAL.mask()))
                .data(report);
    }

    /**
     * Writes blocks wherever the zone has come to; {@link NvmeRequest#longResult} says where that was.
     *
     * @param namespace where
     * @param zone the zone's first block
     * @param blocks how many, 1 to {@link QueuePair#MAXIMUM_BLOCKS}
     * @return the command; needs {@link NvmeCommand#data(DmaMemory)}
     */
    public static NvmeCommand append(NvmeNamespace namespace, long zone, int blocks) {
        namespace.requireZones().checkFirstBlock(zone);
        return NvmeCommand.onBlocks(Opcode.ZONE_APPEND, namespace, zone, blocks);
    }
}
