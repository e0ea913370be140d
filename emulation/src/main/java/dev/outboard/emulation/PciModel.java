package dev.outboard.emulation;

import static dev.outboard.specs.pci.PciConfiguration.COMMAND;
import static dev.outboard.specs.pci.PciConfiguration.COMMAND_BUS_MASTER;
import static dev.outboard.specs.pci.PciConfiguration.COMMAND_INTX_DISABLE;
import static dev.outboard.specs.pci.PciConfiguration.COMMAND_IO;
import static dev.outboard.specs.pci.PciConfiguration.COMMAND_MEMORY;

import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.Fd;
import dev.outboard.specs.pci.PciConfiguration;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A PCI function in Java. A model passes its identity and BARs to this class, implements what its registers do, and does
 * its DMA and its polling in {@link #doWork}.
 *
 * <p>A model knows no locks: everything is called on one thread, that of the server which serves it.
 */
public abstract class PciModel implements AutoCloseable {
    /** The BAR that the MSI-X table is in, for models that have one. */
    public static final int MSIX_BAR = 4;

    private static final int EXPRESS_CAPABILITY_BYTES = 0x3c;
    private static final int EXPRESS_FLAGS = 2;
    private static final int EXPRESS_VERSION_2_ENDPOINT = 2;
    private static final int EXPRESS_DEVICE_CAPABILITIES = 4;
    private static final long EXPRESS_ROLE_BASED_ERRORS = 1 << 15;
    private static final long EXPRESS_CAN_RESET_FUNCTION = 1 << 28;
    private static final int EXPRESS_DEVICE_CONTROL = 8;
    private static final long EXPRESS_RESET_FUNCTION = 1 << 15;
    private static final int EXPRESS_LINK_CAPABILITIES = 0x0c;
    private static final int EXPRESS_LINK_STATUS = 0x12;
    private static final int EXPRESS_GEN1_X1 = 0x11;
    private static final int CAPABILITY_HEADER_BYTES = 2;
    private static final int MSI_CAPABILITY_BYTES = 14;
    private static final int MSI_CONTROL = 2;
    private static final int MSI_ADDRESS = 4;
    private static final int MSI_DATA = 12;
    private static final int MSIX_CAPABILITY_BYTES = 12;
    private static final int MSIX_CONTROL = 2;
    private static final int MSIX_TABLE = 4;
    private static final int MSIX_PENDING = 8;
    private static final int BAR_BYTES = 4;
    private static final int WORD = 2;
    private static final int DWORD = 4;
    private static final int QWORD = 8;

    /**
     * Who made a function, and what it is.
     *
     * @param vendorId the vendor
     * @param deviceId the device
     * @param classCode base class, subclass and programming interface, as 0x010802
     * @param revision the revision
     * @param subsystemVendorId who made the card
     * @param subsystemId what the card is
     */
    public record Identity(
            int vendorId, int deviceId, int classCode, int revision, int subsystemVendorId, int subsystemId) {}

    private final ConfigurationSpace configuration = new ConfigurationSpace();
    private final @Nullable Bar[] bars = new Bar[PciConfiguration.BARS];
    private final @Nullable MsixTable msixTable;
    private final InterruptLines interrupts;
    private final DmaSpace dma = new DmaSpace();
    private final int deviceControl;
    private boolean busMaster;
    private @Nullable Interposition interposition;

    /**
     * How a function can interrupt.
     *
     * @param intx whether it can use INTx
     * @param msi whether it has one MSI vector
     * @param msixVectors how many MSI-X vectors it has; 0 for none
     * @param msixBar the BAR that their table takes
     */
    public record InterruptKinds(boolean intx, boolean msi, int msixVectors, int msixBar) {
        /**
         * With the table of MSI-X vectors where it usually is.
         *
         * @param intx whether it can use INTx
         * @param msi whether it has one MSI vector
         * @param msixVectors how many MSI-X vectors it has; 0 for none. Their table takes {@link #MSIX_BAR}
         */
        public InterruptKinds(boolean intx, boolean msi, int msixVectors) {
            this(intx, msi, msixVectors, MSIX_BAR);
        }

        /** Checks the number of vectors. */
        public InterruptKinds {
            if (msixVectors < 0 || msixVectors > MsixTable.MAXIMUM_VECTORS) {
                throw new IllegalArgumentException(
                        msixVectors + " MSI-X vectors; there can be " + MsixTable.MAXIMUM_VECTORS);
            }
        }
    }

    /**
     * A function that was just reset.
     *
     * @param identity what it is
     * @param hasIntx whether it can use INTx
     * @param msixVectors how many MSI-X vectors it has; 0 for none. Their table takes {@link #MSIX_BAR}
     */
    protected PciModel(Identity identity, boolean hasIntx, int msixVectors) {
        this(identity, new InterruptKinds(hasIntx, false, msixVectors));
    }

    /**
     * A function that was just reset.
     *
     * @param identity what it is
     * @param kinds how it can interrupt
     */
    protected PciModel(Identity identity, InterruptKinds kinds) {
        interrupts = new InterruptLines(kinds);
        configuration.define(PciConfiguration.VENDOR_ID, identity.vendorId, 0);
        configuration.define(PciConfiguration.DEVICE_ID, identity.deviceId, 0);
        configuration.define(
                COMMAND,
                0,
                COMMAND_IO.mask() | COMMAND_MEMORY.mask() | COMMAND_BUS_MASTER.mask() | COMMAND_INTX_DISABLE.mask());
        configuration.define(PciConfiguration.STATUS, PciConfiguration.STATUS_CAPABILITIES.mask(), 0);
        configuration.define(PciConfiguration.REVISION_ID, identity.revision, 0);
        configuration.define(PciConfiguration.PROGRAMMING_INTERFACE, identity.classCode & 0xff, 0);
        configuration.define(PciConfiguration.SUBCLASS, (identity.classCode >> 8) & 0xff, 0);
        configuration.define(PciConfiguration.BASE_CLASS, (identity.classCode >> 16) & 0xff, 0);
        configuration.define(PciConfiguration.SUBSYSTEM_VENDOR_ID, identity.subsystemVendorId, 0);
        configuration.define(PciConfiguration.SUBSYSTEM_ID, identity.subsystemId, 0);
        configuration.define(PciConfiguration.INTERRUPT_LINE, 0, 0xff);
        configuration.define(PciConfiguration.INTERRUPT_PIN, kinds.intx ? 1 : 0, 0);
        deviceControl = addExpressCapability() + EXPRESS_DEVICE_CONTROL;
        if (kinds.msi) {
            addMsiCapability();
        }
        if (kinds.msixVectors > 0) {
            addMsixCapability(kinds.msixVectors, kinds.msixBar);
            MsixTable table = new MsixTable(kinds.msixVectors);
            msixTable = table;
            addBar(Bar.of(kinds.msixBar, MsixTable.SIZE_BYTES, table));
        } else {
            msixTable = null;
        }
    }

    // PCI Express 2.0, 7.8: an endpoint that can reset its function.
    private int addExpressCapability() {
        int at = configuration.addCapability(PciConfiguration.CAPABILITY_EXPRESS, EXPRESS_CAPABILITY_BYTES);
        configuration.define(at + EXPRESS_FLAGS, WORD, EXPRESS_VERSION_2_ENDPOINT, 0);
        configuration.define(
                at + EXPRESS_DEVICE_CAPABILITIES, DWORD, EXPRESS_ROLE_BASED_ERRORS | EXPRESS_CAN_RESET_FUNCTION, 0);
        configuration.define(at + EXPRESS_DEVICE_CONTROL, WORD, 0, 0xffff);
        configuration.define(at + EXPRESS_LINK_CAPABILITIES, DWORD, EXPRESS_GEN1_X1, 0);
        configuration.define(at + EXPRESS_LINK_STATUS, WORD, EXPRESS_GEN1_X1, 0);
        return at;
    }

    // One vector with a 64-bit address. PCI 3.0, 6.8.1.
    private void addMsiCapability() {
        int at = configuration.addCapability(PciConfiguration.CAPABILITY_MSI, MSI_CAPABILITY_BYTES);
        configuration.define(
                at + MSI_CONTROL, WORD, PciConfiguration.MSI_64_BIT.mask(), PciConfiguration.MSI_ENABLE.mask());
        configuration.define(at + MSI_ADDRESS, QWORD, 0, -DWORD);
        configuration.define(at + MSI_DATA, WORD, 0, 0xffff);
    }

    private void addMsixCapability(int vectors, int bar) {
        int at = configuration.addCapability(PciConfiguration.CAPABILITY_MSIX, MSIX_CAPABILITY_BYTES);
        configuration.define(
                at + MSIX_CONTROL,
                WORD,
                PciConfiguration.MSIX_TABLE_SIZE.of(vectors - 1L),
                PciConfiguration.MSIX_ENABLE.mask() | PciConfiguration.MSIX_FUNCTION_MASK.mask());
        configuration.define(at + MSIX_TABLE, DWORD, bar, 0);
        configuration.define(at + MSIX_PENDING, DWORD, MsixTable.PENDING_BITS | bar, 0);
    }

    /**
     * Adds a capability that cannot be written, during construction.
     *
     * @param id its id
     * @param body what follows the id and the pointer to the next one
     */
    protected final void addCapability(int id, byte[] body) {
        int at = configuration.addCapability(id, CAPABILITY_HEADER_BYTES + body.length);
        for (int i = 0; i < body.length; i++) {
            configuration.define(at + CAPABILITY_HEADER_BYTES + i, Byte.BYTES, body[i], 0);
        }
    }

    /**
     * Adds a BAR, during construction.
     *
     * @param bar the BAR; its index is free
     */
    protected final void addBar(Bar bar) {
        bars[bar.index()] = bar;
        long sizeMask = -bar.sizeBytes();
        long at = PciConfiguration.BAR0.offset() + (long) bar.index() * BAR_BYTES;
        // Writing all ones and reading back gives the size, because the low bits cannot be written. PCI 3.0, 6.2.5.1.
        switch (bar.space()) {
            case MEMORY_32 -> configuration.define(at, DWORD, 0, sizeMask);
            case MEMORY_64 -> configuration.define(at, QWORD, PciConfiguration.BAR_TYPE.of(2), sizeMask);
            case PORTS -> configuration.define(at, DWORD, PciConfiguration.BAR_IO.mask(), sizeMask);
        }
    }

    /**
     * Configuration space.
     *
     * @return its registers, for looking
     */
    public final ConfigurationSpace configuration() {
        return configuration;
    }

    /**
     * The memory that the client lets this function reach.
     *
     * @return the memory, by device address
     */
    protected final DmaSpace dma() {
        return dma;
    }

    /**
     * The interrupts of this function.
     *
     * @return its lines
     */
    protected final InterruptLines interrupts() {
        return interrupts;
    }

    /**
     * Whether the driver lets this function do DMA. A model does none while this is false.
     *
     * @return the bus master bit of the command register
     */
    protected final boolean isBusMaster() {
        return busMaster;
    }

    /**
     * Does what there is to do: polls memory that is shared with the client, moves data, raises interrupts. Called over
     * and over; returns soon.
     *
     * @return how much was done; 0 if there was nothing to do
     */
    public int doWork() {
        return 0;
    }

    /**
     * Whether {@link #doWork} may find something to do although no message came: because the client writes to shared
     * memory, or because time passes. While this is false, the server sleeps until a message comes.
     *
     * @return whether to keep polling
     */
    public boolean polls() {
        return false;
    }

    /**
     * What wakes the server: a descriptor that is readable while {@link #doWork} has something to do, for models that
     * hear from others than their client. The server looks at it as long as it serves the model.
     *
     * @return the descriptor, owned by the model; null if there is none
     */
    public @Nullable Fd workDescriptor() {
        return null;
    }

    /**
     * Registers that say no more than that somebody wrote to them: a client may signal an eventfd instead.
     *
     * @param bar the BAR that they are in
     * @param event what is signalled; owned by the model, which looks at it in {@link #doWork}
     * @param areas where they are
     */
    public record IoEvents(int bar, EventFd event, List<Bar.Area> areas) {
        /** Copies the list. */
        public IoEvents {
            areas = List.copyOf(areas);
        }
    }

    /**
     * The registers of this function that an eventfd can stand for.
     *
     * @return where they are; null if there are none
     */
    public @Nullable IoEvents ioEvents() {
        return null;
    }

    /**
     * Puts an interposer between this model and its clients, before it is served: all that any client does passes it, and
     * all that the model does. Everything is slower then, and goes by messages: no client maps registers.
     *
     * @param interposer sees what passes; {@link Interposer#closed} is called when the model is closed
     */
    public final void interpose(Interposer interposer) {
        Interposition before = interposition;
        if (before != null) {
            throw new IllegalStateException("there is an interposer already; chain them");
        }
        interposition = new Interposition(this, interposer, interrupts, dma);
    }

    /** Brings everything but configuration space back to its state after power-on. What media hold stays. */
    protected abstract void resetFunction();

    @Override
    public void close() {
        dma.unmapAll();
        interrupts.disconnectAll();
        Interposition closing = interposition;
        if (closing != null) {
            interposition = null;
            closing.closed();
        }
    }

    @Nullable
    Interposition interposition() {
        return interposition;
    }

    /** A step of the agent's: works, and has the client find what was done. */
    final int step() throws IOException {
        int work = doWork();
        settle(false);
        return work;
    }

    /** The end of a step, in which the client may have said something. */
    final void settle(boolean clientSpoke) throws IOException {
        Interposition passing = interposition;
        if (passing != null && dma.hasClient()) {
            passing.settle(clientSpoke);
        }
    }

    /** Whether a step may find something to do although no message came. */
    final boolean wantsSteps() {
        return polls() || (interposition != null && dma.hasClient());
    }

    /** What the client asks for by DEVICE_RESET. */
    final void requestReset() throws IOException {
        Interposition passing = interposition;
        if (passing == null) {
            reset();
        } else {
            passing.requestReset();
        }
    }

    final @Nullable Bar bar(int index) {
        return index >= 0 && index < bars.length ? bars[index] : null;
    }

    final void writeConfiguration(long offset, int widthBytes, long value) {
        configuration.write(offset, widthBytes, value);
        long command = configuration.read(COMMAND);
        busMaster = COMMAND_BUS_MASTER.isSet(command);
        interrupts.enableIntx(!COMMAND_INTX_DISABLE.isSet(command));
        if ((configuration.read(deviceControl, WORD) & EXPRESS_RESET_FUNCTION) != 0) {
            reset();
        }
    }

    /** Function-level reset: DMA maps and connected interrupts belong to the client's side and stay. */
    final void reset() {
        configuration.reset();
        busMaster = false;
        interrupts.enableIntx(true);
        if (msixTable != null) {
            msixTable.reset();
        }
        resetFunction();
        if (interposition != null) {
            interposition.forget();
        }
    }

    /** The client is gone: nothing of it remains. */
    final void disconnected() {
        try {
            requestReset();
        } catch (IOException removed) {
            reset();
        } finally {
            dma.unmapAll();
            interrupts.disconnectAll();
        }
    }
}
