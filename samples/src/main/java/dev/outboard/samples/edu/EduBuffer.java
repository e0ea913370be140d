package dev.outboard.samples.edu;

import static dev.outboard.specs.edu.EduRegisters.BUFFER;
import static dev.outboard.specs.edu.EduRegisters.DMA_COMMAND;
import static dev.outboard.specs.edu.EduRegisters.DMA_COUNT;
import static dev.outboard.specs.edu.EduRegisters.DMA_DESTINATION;
import static dev.outboard.specs.edu.EduRegisters.DMA_DIRECTION;
import static dev.outboard.specs.edu.EduRegisters.DMA_INTERRUPT;
import static dev.outboard.specs.edu.EduRegisters.DMA_MASK;
import static dev.outboard.specs.edu.EduRegisters.DMA_RUN;
import static dev.outboard.specs.edu.EduRegisters.DMA_SOURCE;
import static dev.outboard.specs.edu.EduRegisters.INTERRUPT_DMA;

import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.memory.DmaLimits;
import dev.outboard.memory.DmaMemory;
import dev.outboard.memory.Registers;
import dev.outboard.specs.edu.EduRegisters;
import java.io.IOException;
import java.util.Objects;

/**
 * The device's own memory, which the processor reaches by DMA alone: the driver names memory by its device address, starts
 * a transfer, and sleeps until the device says that it is done.
 */
public final class EduBuffer {
    /** How much of it is used, in bytes. QEMU 7.2 aborts when a transfer touches the last of its 4096. */
    public static final int SIZE_BYTES = EduRegisters.BUFFER_BYTES - 1;

    private static final DmaLimits LIMITS = DmaLimits.NONE.alignedTo(4096).addressBits(Long.bitCount(DMA_MASK));

    private final Edu device;
    private final DmaAllocator dma;
    private final Registers registers;

    EduBuffer(Edu device, DmaAllocator dma, Registers registers) {
        this.device = device;
        this.dma = dma;
        this.registers = registers;
    }

    /**
     * Allocates memory that the device reaches.
     *
     * @param sizeBytes how much
     * @return the memory
     * @throws IOException if there is no more
     */
    public DmaMemory allocate(long sizeBytes) throws IOException {
        return dma.allocate(sizeBytes, LIMITS);
    }

    /**
     * Has the device read memory into its buffer.
     *
     * @param source what to read
     * @param offset where to in the buffer, in bytes; all of it must fit {@link #SIZE_BYTES}
     * @throws IOException if the device does not do it in time
     */
    public void write(DmaMemory source, int offset) throws IOException {
        transfer(source.deviceAddress(), BUFFER + offset, source, offset, "FROM_MEMORY");
    }

    /**
     * Has the device write memory from its buffer.
     *
     * @param offset where from in the buffer, in bytes; all of it must lie in {@link #SIZE_BYTES}
     * @param target what to write
     * @throws IOException if the device does not do it in time
     */
    public void read(int offset, DmaMemory target) throws IOException {
        transfer(BUFFER + offset, target.deviceAddress(), target, offset, "TO_MEMORY");
    }

    private void transfer(long from, long to, DmaMemory memory, int offset, String direction) throws IOException {
        Objects.checkFromIndexSize(offset, memory.sizeBytes(), SIZE_BYTES);
        // The device drops the bits beyond its mask, and would move other memory, if the IOMMU let it.
        if (Long.compareUnsigned(memory.deviceAddress(), DMA_MASK - (memory.sizeBytes() - 1)) > 0) {
            throw new DeviceException(device.address() + " reaches the device addresses to 0x"
                    + Long.toHexString(DMA_MASK) + ", not " + memory + "; allocate less before it");
        }
        registers.write(DMA_SOURCE, from);
        registers.write(DMA_DESTINATION, to);
        registers.write(DMA_COUNT, memory.sizeBytes());
        registers.write(
                DMA_COMMAND,
                DMA_RUN.mask() | DMA_INTERRUPT.mask() | DMA_DIRECTION.of(DMA_DIRECTION.valueOf(direction)));
        device.awaitInterrupt(INTERRUPT_DMA, "a transfer of " + memory.sizeBytes() + " bytes");
        // Reading a register also brings in what the device wrote before it.
        if (DMA_RUN.isSet(device.read(DMA_COMMAND))) {
            throw new DeviceException(device.address() + " says that a transfer is done, and that it still runs");
        }
    }
}
