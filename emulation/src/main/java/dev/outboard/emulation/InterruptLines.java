package dev.outboard.emulation;

import dev.outboard.emulation.interpose.Interposer;
import dev.outboard.linux.EventFd;
import dev.outboard.linux.LinuxException;
import dev.outboard.linux.uapi.Vfio;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * How a model interrupts: INTx, MSI and MSI-X vectors, each connected to an eventfd of the client or to nothing. A vector that
 * is connected to nothing costs no system call. Only the agent's thread uses it.
 *
 * <p>As with VFIO the client's side masks MSI-X vectors, by what it connects; the mask bits of the table are stored and
 * have no effect.
 */
public final class InterruptLines {
    private final Line[][] lines = new Line[Vfio.VFIO_PCI_NUM_IRQS][];
    private final Line intx;
    private final Line[] msi;
    private final Line[] msix;
    private boolean intxEnabled = true;
    private boolean held;
    private boolean hasHeld;

    private static final class Line {
        private @Nullable EventFd event;
        private boolean masked;
        private boolean pending;
        private boolean asserted;
        private long held;
    }

    InterruptLines(PciModel.InterruptKinds kinds) {
        lines[Vfio.VFIO_PCI_INTX_IRQ_INDEX] = newLines(kinds.intx() ? 1 : 0);
        lines[Vfio.VFIO_PCI_MSI_IRQ_INDEX] = newLines(kinds.msi() ? 1 : 0);
        lines[Vfio.VFIO_PCI_MSIX_IRQ_INDEX] = newLines(kinds.msixVectors());
        lines[Vfio.VFIO_PCI_ERR_IRQ_INDEX] = newLines(1);
        lines[Vfio.VFIO_PCI_REQ_IRQ_INDEX] = newLines(1);
        intx = kinds.intx() ? lines[Vfio.VFIO_PCI_INTX_IRQ_INDEX][0] : new Line();
        msi = lines[Vfio.VFIO_PCI_MSI_IRQ_INDEX];
        msix = lines[Vfio.VFIO_PCI_MSIX_IRQ_INDEX];
    }

    private static Line[] newLines(int count) {
        Line[] created = new Line[count];
        for (int i = 0; i < count; i++) {
            created[i] = new Line();
        }
        return created;
    }

    /**
     * How many MSI-X vectors there are.
     *
     * @return the size of the MSI-X table
     */
    public int msixVectors() {
        return msix.length;
    }

    /**
     * Whether a vector is connected, so that raising it does something.
     *
     * @param vector the MSI-X vector
     * @return false if nobody listens
     */
    public boolean isConnected(int vector) {
        return msix[vector].event != null;
    }

    /**
     * Whether INTx is connected.
     *
     * @return false if nobody listens
     */
    public boolean isIntxConnected() {
        return intx.event != null;
    }

    /**
     * Sends an MSI-X message.
     *
     * @param vector the vector
     */
    public void raise(int vector) {
        raise(msix[vector]);
    }

    /**
     * Whether the MSI vector is connected; then a function sends messages instead of asserting INTx.
     *
     * @return false if there is none, or nobody listens
     */
    public boolean isMsiConnected() {
        return msi.length > 0 && msi[0].event != null;
    }

    /** Sends the MSI message. */
    public void raiseMsi() {
        raise(msi[0]);
    }

    /**
     * Sets the level of the INTx line. While it is asserted, it fires again each time that the client unmasks it.
     *
     * @param asserted whether the device wants attention
     */
    public void assertIntx(boolean asserted) {
        intx.asserted = asserted;
        if (asserted && intxEnabled && !intx.masked) {
            fireIntx();
        }
    }

    /** Whether the command register lets INTx through; a line that is asserted fires once it does. */
    void enableIntx(boolean enabled) {
        if (intxEnabled != enabled) {
            intxEnabled = enabled;
            assertIntx(intx.asserted);
        }
    }

    private void fireIntx() {
        if (intx.event != null) {
            // VFIO_IRQ_INFO_AUTOMASKED: no further event until the client says UNMASK.
            intx.masked = true;
            signal(intx);
        }
    }

    private void raise(Line line) {
        if (line.masked) {
            line.pending = true;
        } else {
            signal(line);
        }
    }

    private void signal(Line line) {
        if (held) {
            line.held++;
            hasHeld = true;
        } else {
            signalNow(line);
        }
    }

    private static void signalNow(Line line) {
        EventFd event = line.event;
        if (event == null) {
            return;
        }
        try {
            event.signal();
        } catch (LinuxException e) {
            // A descriptor that cannot be signalled is as good as none; the client made it.
            disconnect(line);
        }
    }

    int count(int index) {
        return lines[index].length;
    }

    void connect(int index, int number, @Nullable EventFd event) {
        Line line = lines[index][number];
        disconnect(line);
        line.event = event;
        if (line == intx) {
            line.masked = false;
            assertIntx(line.asserted);
        }
    }

    void mask(int index, int number, boolean masked) {
        Line line = lines[index][number];
        line.masked = masked;
        if (masked) {
            return;
        }
        if (line == intx) {
            assertIntx(line.asserted);
        } else if (line.pending) {
            line.pending = false;
            signal(line);
        }
    }

    /** What the client asks for by SET_IRQS with TRIGGER and no eventfds: a test of its own wiring. */
    void trigger(int index, int number) {
        signalNow(lines[index][number]);
    }

    /** Has interrupts wait for {@link #release} from now on. */
    void hold() {
        held = true;
    }

    boolean hasHeld() {
        return hasHeld;
    }

    /** Sends what was held, as far as an interposer has it come. */
    void release(Interposer interposer) throws IOException {
        hasHeld = false;
        for (int index = Vfio.VFIO_PCI_INTX_IRQ_INDEX; index <= Vfio.VFIO_PCI_MSIX_IRQ_INDEX; index++) {
            for (int number = 0; number < lines[index].length; number++) {
                Line line = lines[index][number];
                if (line.event != null) {
                    long seen = interposer.interrupts(number, line.held);
                    line.held = 0;
                    for (long i = 0; i < seen; i++) {
                        signalNow(line);
                    }
                }
            }
        }
    }

    /** Asks the client to let go of the device, as the kernel's VFIO does when a device is being removed. */
    void requestRelease() {
        signalNow(lines[Vfio.VFIO_PCI_REQ_IRQ_INDEX][0]);
    }

    void disconnect(int index) {
        for (Line line : lines[index]) {
            disconnect(line);
        }
    }

    void disconnectAll() {
        for (int index = 0; index < lines.length; index++) {
            disconnect(index);
        }
        intx.asserted = false;
    }

    private static void disconnect(Line line) {
        EventFd event = line.event;
        if (event != null) {
            line.event = null;
            event.close();
        }
        line.masked = false;
        line.pending = false;
        line.held = 0;
    }
}
