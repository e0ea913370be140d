package dev.outboard.emulation.virtio;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.Pci;
import dev.outboard.specs.virtio.VirtioNet;
import dev.outboard.virtio.DriverQueue;
import dev.outboard.virtio.pci.VirtioFunction;
import dev.outboard.virtio.pci.VirtioQueue;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/** A driver of the network card that does one thing at a time. */
final class NetDriver implements AutoCloseable {
    private static final long DEADLINE_NANOS = Duration.ofSeconds(20).toNanos();
    private static final int BUFFERS = 32;
    private static final long FEATURES = DriverQueue.FEATURES
            | VirtioNet.FEATURE_MAC
            | VirtioNet.FEATURE_MTU
            | VirtioNet.FEATURE_STATUS
            | VirtioNet.FEATURE_MRG_RXBUF
            | VirtioNet.FEATURE_CTRL_VQ
            | VirtioNet.FEATURE_CTRL_RX
            | VirtioNet.FEATURE_CTRL_VLAN
            | VirtioNet.FEATURE_CTRL_MAC_ADDR;

    final VirtioFunction function;
    int lastBuffers;
    private final int bufferBytes;
    private final VirtioQueue receive;
    private final VirtioQueue transmit;
    private final VirtioQueue control;
    private final DmaMemory buffers;
    private final DmaMemory scratch;
    private final int[] bufferOfId;

    NetDriver(String address, long withheld, int bufferBytes) throws IOException {
        this.bufferBytes = bufferBytes;
        function = VirtioFunction.open(Pci.open(address), FEATURES & ~withheld);
        receive = function.createQueue(VirtioNet.RECEIVE_QUEUE, BUFFERS, 1);
        transmit = function.createQueue(VirtioNet.TRANSMIT_QUEUE, BUFFERS, 2);
        control = function.createQueue(VirtioNet.QUEUES_A_PAIR, BUFFERS, 3);
        buffers = function.function().dma().allocate((long) BUFFERS * bufferBytes);
        scratch = function.function().dma().allocate(4096);
        bufferOfId = new int[receive.ring().size()];
        function.start();
        for (int i = 0; i < BUFFERS; i++) {
            offer(i);
        }
        receive.publish();
    }

    private void offer(int buffer) {
        receive.ring().writable(buffers.deviceAddress() + (long) buffer * bufferBytes, bufferBytes);
        bufferOfId[receive.ring().add()] = buffer;
    }

    void send(byte[] frame) throws IOException {
        MemorySegment memory = scratch.segment();
        memory.asSlice(0, VirtioNet.HEADER_BYTES).fill((byte) 0);
        MemorySegment.copy(frame, 0, memory, JAVA_BYTE, VirtioNet.HEADER_BYTES, frame.length);
        transmit.ring().readable(scratch.deviceAddress(), VirtioNet.HEADER_BYTES);
        transmit.ring().readable(scratch.deviceAddress() + VirtioNet.HEADER_BYTES, frame.length);
        transmit.ring().add();
        transmit.publish();
        await(transmit);
    }

    byte[] receive() throws IOException {
        ByteArrayOutputStream frame = new ByteArrayOutputStream();
        lastBuffers = 1;
        for (int i = 0; i < lastBuffers; i++) {
            int buffer = bufferOfId[await(receive)];
            MemorySegment part = buffers.segment()
                    .asSlice((long) buffer * bufferBytes, receive.ring().usedBytes());
            int start = 0;
            if (i == 0) {
                lastBuffers = part.get(JAVA_SHORT_UNALIGNED, VirtioNet.HEADER_NUM_BUFFERS);
                start = VirtioNet.HEADER_BYTES;
            }
            frame.writeBytes(part.asSlice(start).toArray(JAVA_BYTE));
            offer(buffer);
        }
        receive.publish();
        return frame.toByteArray();
    }

    int command(int commandClass, int number, byte[] data) throws IOException {
        MemorySegment memory = scratch.segment();
        memory.set(JAVA_BYTE, 0, (byte) commandClass);
        memory.set(JAVA_BYTE, 1, (byte) number);
        MemorySegment.copy(data, 0, memory, JAVA_BYTE, VirtioNet.COMMAND_BYTES, data.length);
        int ack = 2048;
        memory.set(JAVA_BYTE, ack, (byte) -1);
        control.ring().readable(scratch.deviceAddress(), VirtioNet.COMMAND_BYTES);
        control.ring().readable(scratch.deviceAddress() + VirtioNet.COMMAND_BYTES, data.length);
        control.ring().writable(scratch.deviceAddress() + ack, VirtioNet.ACK_BYTES);
        control.ring().add();
        control.publish();
        await(control);
        return memory.get(JAVA_BYTE, ack);
    }

    private int await(VirtioQueue queue) throws IOException {
        long deadline = System.nanoTime() + DEADLINE_NANOS;
        for (int id = queue.ring().poll(); ; id = queue.ring().poll()) {
            if (id != DriverQueue.NONE) {
                return id;
            }
            if (System.nanoTime() - deadline > 0) {
                function.checkUsable();
                throw new AssertionError("nothing came on " + queue.ring());
            }
            Thread.onSpinWait();
        }
    }

    @Override
    public void close() {
        function.close();
    }
}
