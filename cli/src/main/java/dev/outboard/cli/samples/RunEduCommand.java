package dev.outboard.cli.samples;

import dev.outboard.cli.Interruption;
import dev.outboard.cli.Json;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.DmaMemory;
import dev.outboard.pci.PciFunction;
import dev.outboard.samples.edu.Edu;
import dev.outboard.samples.edu.EduBuffer;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Random;
import picocli.CommandLine.Command;

/** {@code outboard run edu}. */
@Command(
        name = "edu",
        description = "Brings up QEMU's device for teaching, has it compute factorials by polling and by interrupt,"
                + " moves memory to it and back by DMA, verifies all of it, and stays up.")
public final class RunEduCommand extends RunSample<Edu> {
    private static final int TRANSFER_BYTES = 2048;
    private static final int ROUND_TRIPS = 8;

    /** For picocli. */
    public RunEduCommand() {}

    @Override
    Edu open(PciFunction function) throws IOException {
        return Edu.open(function);
    }

    @Override
    void checkPresent(Edu edu) throws IOException {
        edu.checkPresent();
    }

    @Override
    Map<String, Object> show(Edu edu) throws IOException {
        Map<String, Object> document = Json.object();
        document.put("version", edu.version());
        say("version", edu.version());
        document.put("factorials", factorials(edu));
        document.put("verifiedBytes", roundTrips(edu.buffer()));
        return document;
    }

    private Map<String, Object> factorials(Edu edu) throws IOException {
        Map<String, Object> factorials = Json.object();
        long expected = 1;
        for (int number = 0; number <= Edu.LARGEST_NUMBER && !Interruption.requested(); number++) {
            expected *= Math.max(1, number);
            check(edu, number, edu.factorial(number), expected);
            check(edu, number, edu.factorialByInterrupt(number), expected);
            factorials.put(Integer.toString(number), expected);
            say(number + "!", expected);
        }
        say("factorials", "verified, each by polling and by interrupt");
        return factorials;
    }

    private static void check(Edu edu, int number, long factorial, long expected) throws DeviceException {
        if (factorial != expected) {
            throw new DeviceException(
                    edu.address() + " says that " + number + "! is " + factorial + "; it is " + expected);
        }
    }

    private int roundTrips(EduBuffer buffer) throws IOException {
        Random random = new Random();
        byte[] data = new byte[TRANSFER_BYTES];
        int verified = 0;
        try (DmaMemory memory = buffer.allocate(TRANSFER_BYTES)) {
            for (int i = 0; i < ROUND_TRIPS && !Interruption.requested(); i++) {
                random.nextBytes(data);
                memory.segment().copyFrom(MemorySegment.ofArray(data));
                buffer.write(memory, 0);
                memory.segment().fill((byte) 0);
                buffer.read(0, memory);
                long mismatch = memory.segment().mismatch(MemorySegment.ofArray(data));
                if (mismatch >= 0) {
                    throw new DeviceException("DMA returned wrong data at byte " + mismatch + " of " + memory);
                }
                verified += TRANSFER_BYTES;
            }
        }
        say("DMA", "verified, " + verified + " bytes there and back, " + TRANSFER_BYTES + " at a time");
        return verified;
    }
}
