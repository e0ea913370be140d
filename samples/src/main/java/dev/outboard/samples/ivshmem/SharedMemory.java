package dev.outboard.samples.ivshmem;

import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL_PEER;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.DOORBELL_VECTOR;
import static dev.outboard.specs.ivshmem.IvshmemRegisters.POSITION;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Interrupt;
import dev.outboard.memory.Registers;
import dev.outboard.pci.Pci;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.ivshmem.IvshmemProtocol;
import dev.outboard.specs.ivshmem.IvshmemRegisters;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * A driver for QEMU's ivshmem, revision 1, and a lesson: a BAR that is memory; a doorbell at somebody else's door; and an
 * interrupt for each vector. Memory and doorbell are safe for use by several threads; one thread at a time waits for a
 * vector.
 *
 * <p>The device does not say who its peers are: a peer has to leave its {@link #id} where others look, in the memory.
 */
public final class SharedMemory implements AutoCloseable {
    private static final long ALL_ONES = 0xffff_ffffL;

    private final PciFunction function;
    private final Registers registers;
    private final Registers memory;
    private final List<Interrupt> interrupts;

    private SharedMemory(PciFunction function) throws IOException {
        this.function = function;
        long vendor = function.configuration().read(PciConfiguration.VENDOR_ID);
        long device = function.configuration().read(PciConfiguration.DEVICE_ID);
        if (vendor != IvshmemRegisters.VENDOR_ID || device != IvshmemRegisters.DEVICE_ID) {
            function.checkAnswers();
            throw new DeviceException("%s is no ivshmem: its ids are %04x:%04x, %04x:%04x is expected"
                    .formatted(
                            function.address(),
                            vendor,
                            device,
                            IvshmemRegisters.VENDOR_ID,
                            IvshmemRegisters.DEVICE_ID));
        }
        long revision = function.configuration().read(PciConfiguration.REVISION_ID);
        if (revision < IvshmemRegisters.REVISION) {
            throw new DeviceException(function.address() + " has revision " + revision
                    + ", whose memory may come late: use QEMU 2.6 or later");
        }
        registers = function.bar(0);
        memory = function.bar(IvshmemRegisters.MEMORY_BAR);
        if (registers.sizeBytes() < IvshmemRegisters.BAR_BYTES) {
            throw new DeviceException(function.address() + " has " + registers.sizeBytes() + " bytes of registers, not "
                    + IvshmemRegisters.BAR_BYTES);
        }
        // Messages are the device's own writes.
        function.setBusMaster(true);
        interrupts = function.enableInterrupts(function.interruptVectors());
    }

    /**
     * Opens a device, and enables its interrupts.
     *
     * @param address its address, for example {@code "vfio:0000:00:06.0"} or {@code "model:ivshmem"}
     * @return the device
     * @throws IOException if it cannot be opened, or is none
     */
    public static SharedMemory open(String address) throws IOException {
        return open(Pci.open(address));
    }

    /**
     * Takes over a PCI function, and enables its interrupts.
     *
     * @param function the function; it now belongs to the driver, and is closed if this fails
     * @return the device
     * @throws IOException if it is no such device
     */
    public static SharedMemory open(PciFunction function) throws IOException {
        try {
            return new SharedMemory(function);
        } catch (IOException | RuntimeException e) {
            function.close();
            throw e;
        }
    }

    /**
     * The memory. What others write may change at any time, and be anything.
     *
     * @return all of it, mapped where the access path can
     */
    public Registers memory() {
        return memory;
    }

    /**
     * Who this device is among its peers.
     *
     * @return its id, from 0; also 0 if it cannot have any
     * @throws IOException if the device is gone
     */
    public int id() throws IOException {
        long id = registers.read(POSITION);
        if (id == ALL_ONES) {
            function.checkPresent();
            throw new DeviceGoneException(
                    function.address() + " reads all ones at " + POSITION.name() + ": it is gone, or powered down",
                    null);
        }
        if (id > IvshmemProtocol.HIGHEST_ID) {
            throw new DeviceException(function.address() + " says that its id is " + id + "; the highest is "
                    + IvshmemProtocol.HIGHEST_ID);
        }
        return (int) id;
    }

    /**
     * How many vectors it has to be rung by.
     *
     * @return the number; 0 if it can only share memory
     */
    public int vectors() {
        return interrupts.size();
    }

    /**
     * Rings a peer, which may be this device itself. What was written to memory before is there when the peer looks. Nothing
     * happens, and nobody says so, if there is no such peer or it has fewer vectors.
     *
     * @param peer its id
     * @param vector which of its vectors
     */
    public void ring(int peer, int vector) {
        Objects.checkIndex(peer, IvshmemProtocol.HIGHEST_ID + 1);
        Objects.checkIndex(vector, IvshmemProtocol.HIGHEST_ID + 1);
        registers.write(DOORBELL, DOORBELL_PEER.of(peer) | DOORBELL_VECTOR.of(vector));
    }

    /**
     * Waits until somebody rings, and takes all that was rung. Blocks a platform thread.
     *
     * @param vector which vector
     * @param timeout how long to wait at most
     * @return how often at least; rings that come fast become one. 0 if there was none in time
     * @throws IOException if the device fails
     * @throws IndexOutOfBoundsException if there is no such vector
     */
    public long await(int vector, Duration timeout) throws IOException {
        Interrupt interrupt = interrupts.get(vector);
        long rung = interrupt.await(timeout);
        interrupt.rearm();
        return rung;
    }

    /**
     * How the device is reached.
     *
     * @return its address
     */
    public DeviceAddress address() {
        return function.address();
    }

    /**
     * Finds out whether the device is still there; cheap.
     *
     * @throws DeviceGoneException if it is not
     */
    public void checkPresent() throws DeviceGoneException {
        function.checkPresent();
    }

    /** Gives the device back; the memory is no longer mapped. */
    @Override
    public void close() {
        function.close();
    }
}
