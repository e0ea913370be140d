package dev.outboard.emulation.serial;

import dev.outboard.emulation.Bar;
import dev.outboard.emulation.PciModel;
import dev.outboard.memory.RegisterAccess;
import dev.outboard.specs.serial.PciSerial;
import dev.outboard.specs.serial.Uart16550;

/**
 * A card with two 16550A UARTs in I/O ports, and INTx shared by them: QEMU's pci-serial-2x (docs/specs/pci-serial.rst),
 * which Linux's 8250_pci drives.
 */
public final class SerialCardModel extends PciModel {
    private static final int REVISION = 1;
    private static final int SUBSYSTEM_VENDOR_ID = 0x1af4;
    private static final int SUBSYSTEM_ID = 0x1100;
    private static final int PORTS = 2;

    /** What the ports are connected to. */
    public enum Wiring {
        /** To each other, by a null modem cable. */
        CROSSED,
        /** Each to itself, by a plug. */
        PLUGS
    }

    private final Uart[] uarts = {new Uart(), new Uart()};

    /**
     * A card that was just reset.
     *
     * @param wiring what its ports are connected to
     */
    public SerialCardModel(Wiring wiring) {
        super(
                new Identity(
                        PciSerial.VENDOR_ID,
                        PciSerial.TWO_PORTS,
                        PciSerial.CLASS_CODE,
                        REVISION,
                        SUBSYSTEM_VENDOR_ID,
                        SUBSYSTEM_ID),
                true,
                0);
        if (wiring == Wiring.CROSSED) {
            Uart.connect(uarts[0], uarts[1]);
        }
        addBar(Bar.ports(0, PORTS * Uart16550.BYTES, new Ports()));
    }

    @Override
    protected void resetFunction() {
        for (Uart uart : uarts) {
            uart.reset();
        }
        updateIntx();
    }

    private void updateIntx() {
        boolean pending = false;
        for (Uart uart : uarts) {
            pending |= uart.isInterrupting();
        }
        interrupts().assertIntx(pending);
    }

    @Override
    public boolean polls() {
        for (Uart uart : uarts) {
            if (uart.canSend() || uart.awaitsTimeout()) {
                return true;
            }
        }
        return false;
    }

    @Override
    public int doWork() {
        int work = 0;
        for (Uart uart : uarts) {
            work += uart.send() + uart.checkTimeout();
        }
        if (work > 0) {
            updateIntx();
        }
        return work;
    }

    /** Accesses wider than a byte are made byte by byte, as a bus does for such a card. */
    private final class Ports implements RegisterAccess {
        @Override
        public long read(long offset, int widthBytes) {
            long value = 0;
            for (int i = 0; i < widthBytes; i++) {
                value |= uart(offset + i).read(register(offset + i)) << (i * Byte.SIZE);
            }
            updateIntx();
            return value;
        }

        @Override
        public void write(long offset, int widthBytes, long value) {
            for (int i = 0; i < widthBytes; i++) {
                uart(offset + i).write(register(offset + i), (int) (value >>> (i * Byte.SIZE)) & 0xff);
            }
            updateIntx();
        }

        private Uart uart(long offset) {
            return uarts[(int) offset / Uart16550.BYTES];
        }

        private static int register(long offset) {
            return (int) offset % Uart16550.BYTES;
        }
    }
}
