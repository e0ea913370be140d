package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.emulation.nvme.TestDriver.Pair;
import dev.outboard.specs.nvme.Feature;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** A controller that is served, enabled, and has one pair of I/O queues. */
abstract class NvmeTestBase extends ServedController {
    static final int PAGE = 4096;
    static final int BLOCK = 512;
    static final long DATA = TestDriver.DATA;
    static final long OTHER = DATA + 0x400000;
    static final long LIST = DATA + 0x800000;
    static final int ALL_COMMAND_SETS = 0x60;

    Pair admin;
    Pair io;

    @Override
    NvmeOptions options() {
        return NvmeOptions.DEFAULT.withSizeBytes(4 << 20);
    }

    boolean sharesMemory() {
        return true;
    }

    @Override
    void connectDriver() throws IOException {
        driver = new TestDriver(server.path(), sharesMemory());
        admin = driver.enable(ALL_COMMAND_SETS);
        io = driver.createPair(admin, 1, 1);
    }

    void serveAgain(NvmeOptions options) throws IOException {
        stop();
        serve(options);
    }

    /** Disables the controller and enables it again. */
    void reset() throws IOException {
        driver.disable();
        admin = driver.enable(ALL_COMMAND_SETS);
        io = driver.createPair(admin, 1, 1);
    }

    int status(Command command) throws IOException {
        return status(io, command);
    }

    int adminStatus(Command command) throws IOException {
        return status(admin, command);
    }

    /** Fills memory with bytes that depend on a seed; returns it. */
    MemorySegment random(long address, int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return driver.at(address, size).copyFrom(MemorySegment.ofArray(bytes));
    }

    byte[] bytes(long address, int size) {
        return driver.at(address, size).toArray(JAVA_BYTE);
    }

    long word(long address) {
        return driver.at(address, Long.BYTES).get(JAVA_LONG_UNALIGNED, 0);
    }

    void word(long address, long value) {
        driver.at(address, Long.BYTES).set(JAVA_LONG_UNALIGNED, 0, value);
    }

    Command identify(int cns, int namespace) {
        return new Command(Opcode.IDENTIFY).namespace(namespace).prp1(DATA).dwords(cns);
    }

    /** Reads a log page to {@link #DATA}; returns the memory. */
    MemorySegment log(int id) throws IOException {
        Command get = new Command(Opcode.GET_LOG_PAGE).prp1(DATA).dwords(1023 << 16 | id);
        Done done = driver.execute(admin, get);
        if (done.status() != 0) {
            throw new IOException("status 0x" + Integer.toHexString(done.status()));
        }
        return driver.at(DATA, PAGE);
    }

    long smart(String field) throws IOException {
        return LogPage.SMART_INFORMATION.view(log(LogPage.SMART)).slice(field).get(JAVA_LONG_UNALIGNED, 0);
    }

    int feature(int id, int dword11) throws IOException {
        return driver.execute(admin, new Command(Opcode.GET_FEATURES).dwords(id, dword11))
                .result();
    }

    int setFeature(int dword10, int dword11) throws IOException {
        return adminStatus(new Command(Opcode.SET_FEATURES).dwords(dword10, dword11));
    }

    /** Says that the host knows extended LBA formats. */
    void knowExtendedFormats() throws IOException {
        driver.at(DATA, Feature.HOST_BEHAVIOR_BYTES).fill((byte) 0).set(JAVA_BYTE, Feature.LBAFEE, (byte) 1);
        Command set = new Command(Opcode.SET_FEATURES).prp1(DATA).dwords(Feature.HOST_BEHAVIOR_SUPPORT);
        if (adminStatus(set) != 0) {
            throw new IOException("the host's behaviour was refused");
        }
    }

    /** Says who the host is, with an identifier of 64 bits. */
    void setHost(long id) throws IOException {
        word(DATA, id);
        Command set = new Command(Opcode.SET_FEATURES).prp1(DATA).dwords(Feature.HOST_IDENTIFIER);
        if (adminStatus(set) != 0) {
            throw new IOException("the host identifier was refused");
        }
    }
}
