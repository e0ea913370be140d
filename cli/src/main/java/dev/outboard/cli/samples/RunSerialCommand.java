package dev.outboard.cli.samples;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.driver.DeviceException;
import dev.outboard.pci.PciFunction;
import dev.outboard.samples.serial.SerialCard;
import dev.outboard.samples.serial.SerialErrors;
import dev.outboard.samples.serial.SerialPort;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import picocli.CommandLine.Command;

/** {@code outboard run serial}. */
@Command(
        name = "serial",
        description = "Brings up a serial card, sends bytes from each port to the other, by interrupt,"
                + " verifies them, and stays up. The first two ports must be connected to each other.")
public final class RunSerialCommand extends RunSample<SerialCard> {
    /** Half of what a port holds when nobody reads, so that one thread can write first and read then. */
    private static final int BYTES = 2048;

    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final int PORTS = 2;

    /** For picocli. */
    public RunSerialCommand() {}

    @Override
    SerialCard open(PciFunction function) throws IOException {
        return SerialCard.open(function);
    }

    @Override
    void checkPresent(SerialCard card) throws IOException {
        card.checkPresent();
    }

    @Override
    Map<String, Object> show(SerialCard card) throws IOException {
        say("ports", card.ports().size() + ", self-test passed");
        Map<String, Object> document = Json.object();
        document.put("ports", card.ports().size());
        if (card.ports().size() < PORTS) {
            return document;
        }
        card.enableInterrupts();
        List<Object> transfers = new ArrayList<>();
        for (int from = 0; from < PORTS && !Interruption.requested(); from++) {
            transfers.add(transfer(card, from, PORTS - 1 - from));
        }
        document.put("transfers", transfers);
        return document;
    }

    private Map<String, Object> transfer(SerialCard card, int from, int to) throws IOException {
        SerialPort receiver = card.ports().get(to);
        byte[] data = new byte[BYTES];
        new Random().nextBytes(data);
        card.ports().get(from).write(MemorySegment.ofArray(data), TIMEOUT);
        byte[] received = new byte[BYTES];
        int done = 0;
        for (int read = -1; done < BYTES && read != 0; done += read) {
            read = receiver.read(MemorySegment.ofArray(received).asSlice(done), TIMEOUT);
        }
        if (!Arrays.equals(data, received)) {
            throw new DeviceException(receiver + " received " + done + " bytes, not the " + BYTES + " that port " + from
                    + " sent: connect the two by a null modem cable");
        }
        SerialErrors errors = receiver.errors();
        say("port " + from + " to " + to, "verified, " + done + " bytes by interrupt");
        Map<String, Object> json = Json.object();
        json.put("from", from);
        json.put("to", to);
        json.put("verifiedBytes", done);
        json.put("overruns", errors.overruns());
        json.put("parityErrors", errors.parity());
        json.put("framingErrors", errors.framing());
        json.put("breaks", errors.breaks());
        return json;
    }
}
