package dev.outboard.nvme;

import dev.outboard.driver.DeviceAddress;
import dev.outboard.driver.DeviceException;
import dev.outboard.driver.DeviceGoneException;
import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaAllocator;
import dev.outboard.pci.PciFunction;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An NVMe controller, ready for I/O from when it is opened until it is closed.
 *
 * <p>Safe for use by several threads; each of its {@linkplain QueuePair queue pairs} belongs to one. {@link #reset} and
 * {@link #close} may be called by any thread while others use their queue pairs: what is on its way there is {@linkplain
 * CompletionHandler told} to have been aborted, once each, by the next call of the queue pair's own thread.
 */
public final class NvmeController implements AutoCloseable {
    private static final Duration ABORT_TIMEOUT = Duration.ofSeconds(1);
    private static final int UNLIMITED_TRANSFER_BYTES = 1 << 30;

    private final PciFunction function;
    private final NvmeSettings settings;
    private final ControllerAccess access;
    private final AdminQueue admin;
    private final QueueOwner owner = new Owner();
    private final HostMemoryBuffer hostMemory;
    private final AsynchronousEvents events;
    private Initialization initialization;
    private volatile int resets;
    /** Why the last reset did not bring the controller back. */
    private volatile @Nullable IOException resetFailure;

    private volatile ControllerIdentity identity;
    private volatile List<NvmeNamespace> namespaces;
    private volatile int queueCount;
    private final ControllerQueues queues;
    private volatile boolean closed;

    NvmeController(PciFunction function, NvmeSettings settings) throws IOException {
        this.function = function;
        this.settings = settings;
        ControllerAccess first = ControllerAccess.of(function);
        admin = new AdminQueue(first, settings.commandTimeout());
        hostMemory = new HostMemoryBuffer(first, admin, settings);
        initialization = initialize(first);
        access = initialization.access();
        queues = new ControllerQueues(access, admin);
        identity = initialization.identity();
        namespaces = initialization.namespaces();
        queueCount = initialization.queueCount();
        events = new AsynchronousEvents(this, admin);
        KeepAlive.start(this, admin, settings.keepAlive());
    }

    private Initialization initialize(ControllerAccess known) throws IOException {
        Initialization steps = new Initialization(known, admin, settings, hostMemory);
        admin.reserve();
        try {
            steps.run();
        } finally {
            admin.release();
        }
        return steps;
    }

    /**
     * The address that the controller was opened by.
     *
     * @return for example {@code vfio:0000:03:00.0}
     */
    public DeviceAddress address() {
        return function.address();
    }

    /**
     * What the controller says that it is.
     *
     * @return the data of identify controller
     */
    public ControllerIdentity identity() {
        return identity;
    }

    /**
     * The active namespaces. Read again when a command of {@link #admin} changes them, after a reset, and, while somebody
     * {@linkplain AdminCommands#watchEvents watches events}, when the controller says that they changed. What was returned
     * before may name blocks of another size then: a buffer for those is not one for these.
     *
     * @return the namespaces, by rising identifier
     */
    public List<NvmeNamespace> namespaces() {
        return namespaces;
    }

    /**
     * One of the active namespaces.
     *
     * @param id its identifier, from 1
     * @return the namespace
     * @throws IllegalArgumentException if it is not there
     */
    public NvmeNamespace namespace(int id) {
        for (NvmeNamespace namespace : namespaces) {
            if (namespace.id() == id) {
                return namespace;
            }
        }
        throw new IllegalArgumentException(address() + " has no namespace " + id + "; it has "
                + namespaces.stream().map(NvmeNamespace::id).toList());
    }

    /**
     * The admin commands: health, settings, upkeep.
     *
     * @return the commands, with the controller's {@link #commandTimeout}
     */
    public AdminCommands admin() {
        return new AdminCommands(this, admin, commandTimeout());
    }

    AsynchronousEvents events() {
        return events;
    }

    synchronized void refreshNamespaces() throws IOException {
        initialization.refreshNamespaces();
        namespaces = initialization.namespaces();
    }

    boolean isClosed() {
        return closed;
    }

    int resets() {
        return resets;
    }

    /**
     * Memory for I/O without copies.
     *
     * @return the allocator of memory that the controller reaches
     */
    public DmaAllocator dma() {
        return function.dma();
    }

    /**
     * Memory of the controller, if it has some and was opened with a {@linkplain NvmeSettings#withControllerMemory use} for
     * it.
     *
     * @return the controller memory buffer
     */
    public Optional<ControllerMemory> memory() {
        return Optional.ofNullable(access.memory());
    }

    /**
     * Memory of the controller that keeps what it holds, if it was opened {@linkplain NvmeSettings#withPersistentMemory for
     * it}.
     *
     * @return the persistent memory region
     */
    public Optional<PersistentMemory> persistentMemory() {
        return Optional.ofNullable(access.persistentMemory());
    }

    /**
     * How much memory of the host the controller has for itself, see {@link NvmeSettings#withHostMemory}.
     *
     * @return bytes; 0 if it wants none, or takes none
     */
    public long hostMemoryBytes() {
        return hostMemory.sizeBytes();
    }

    /**
     * How long a command may take, unless its await says less.
     *
     * @return the deadline of every command
     */
    public Duration commandTimeout() {
        return settings.commandTimeout();
    }

    /**
     * The most that one command can transfer, as the controller says (MDTS) and the driver can (one list in a page).
     *
     * @return bytes
     */
    public long maximumTransferBytes() {
        return Math.min(controllerTransferLimit(), DataPointers.maximumBytes(access.pageBytes()));
    }

    private long controllerTransferLimit() {
        int mdts = identity.data().getInt("mdts");
        // In units of the smallest memory page, which is the one that is used. 0 is no limit.
        return mdts == 0 || mdts > Integer.SIZE ? UNLIMITED_TRANSFER_BYTES : (long) access.pageBytes() << mdts;
    }

    private boolean takesScatterGatherLists() {
        return Identify.SGLS_SUPPORT.get(identity.data().get("sgls")) != 0;
    }

    /**
     * Finds out whether the controller is still there. Cheap: no system call and no message.
     *
     * @throws DeviceGoneException if it is not
     */
    public void checkPresent() throws DeviceGoneException {
        function.checkPresent();
    }

    /**
     * How many queue pairs can be open at a time.
     *
     * @return the number, from 1
     */
    public int maximumQueuePairs() {
        return queueCount;
    }

    /**
     * How deep a queue pair can be.
     *
     * @return how many commands can be on their way at a time, from 1
     */
    public int maximumQueueDepth() {
        return access.has(Quirk.ONE_COMMAND) ? 1 : Math.min(QueuePair.MAXIMUM_DEPTH, access.maximumQueueEntries() - 1);
    }

    /** Whether it does what others do not. */
    boolean has(Quirk quirk) {
        return access.has(quirk);
    }

    /**
     * Whether doorbells are rung in memory, see {@link NvmeSettings#withShadowDoorbells}.
     *
     * @return whether the controller looks for them there
     */
    public boolean hasShadowDoorbells() {
        return access.shadowDoorbells() != null;
    }

    /**
     * Creates a queue pair that polls.
     *
     * @param depth how many commands can be on their way at a time
     * @return the queue pair
     * @throws IOException if the controller has no more, or refuses
     */
    public QueuePair createQueuePair(int depth) throws IOException {
        return createQueuePair(depth, Waiting.POLL);
    }

    /**
     * Creates a queue pair.
     *
     * @param depth how many commands can be on their way at a time: 1 to {@link QueuePair#MAXIMUM_DEPTH}, and less than the
     *     entries that the controller allows
     * @param waiting how it waits for completions
     * @return the queue pair
     * @throws IOException if the controller has no more, or refuses
     */
    public QueuePair createQueuePair(int depth, Waiting waiting) throws IOException {
        return createQueuePair(depth, waiting, QueuePriority.MEDIUM);
    }

    /**
     * Creates a queue pair with a priority.
     *
     * @param depth how many commands can be on their way at a time, as above
     * @param waiting how it waits for completions
     * @param priority whose commands come first, if the controller was opened with {@linkplain
     *     NvmeSettings#withWeightedRoundRobin weighted round robin}; without effect else
     * @return the queue pair
     * @throws IOException if the controller has no more, or refuses
     */
    public synchronized QueuePair createQueuePair(int depth, Waiting waiting, QueuePriority priority)
            throws IOException {
        checkUsable();
        int deepest = maximumQueueDepth();
        if (depth < 1 || depth > deepest) {
            throw new IllegalArgumentException(
                    "a queue pair of " + address() + " has a depth of 1 to " + deepest + ", not " + depth);
        }
        CommandQueue commands = queues.create(queueCount, depth, waiting, priority, settings.commandTimeout(), owner);
        return new QueuePair(commands, maximumTransferBytes(), takesScatterGatherLists());
    }

    /**
     * Resets the controller, and enables it again: what the driver does by itself when a command neither ends nor can be
     * aborted. Commands on their way are reported as aborted, once each, by the next poll of their queue pair on its own
     * thread; queue pairs can be used again then, those that had failed, too. NVMe base specification 2.0, 3.7.2.
     *
     * <p>Of several threads that want a reset at a time one does it, and the others wait for it.
     *
     * @throws DeviceGoneException if the controller is gone
     * @throws IOException if it does not become ready again, or is another one since; queue pairs fail then, until a later
     *     reset succeeds
     */
    public void reset() throws IOException {
        reset(resets);
    }

    private synchronized void reset(int seen) throws IOException {
        if (closed) {
            throw new IllegalStateException(address() + " is closed");
        }
        if (seen == resets) {
            function.checkPresent();
            resetNow();
        } else {
            // Another thread did it since.
            checkUsable();
        }
    }

    private synchronized void resetNow() throws IOException {
        try {
            Initialization again = initializeAgain();
            checkSame(again.identity());
            initialization = again;
            identity = again.identity();
            namespaces = again.namespaces();
            queueCount = again.queueCount();
            resetFailure = null;
            queues.freeUndeleted();
        } catch (InternalError | UncheckedIOException fault) {
            throw stopped(access.failure(fault));
        } catch (IOException e) {
            throw stopped(e);
        } finally {
            // Whatever came of it: the queues are gone from the controller.
            resets++;
            queues.open().forEach(CommandQueue::controllerWasReset);
        }
    }

    /** What is not ready may yet finish what it was told before: without DMA nobody notices. Returns the reason. */
    private IOException stopped(IOException reason) {
        try {
            function.setBusMaster(false);
        } catch (InternalError | UncheckedIOException deaf) {
            // Then it does not hear the device's own commands either.
        }
        admin.fail(reason);
        resetFailure = reason;
        return reason;
    }

    private void checkUsable() throws IOException {
        if (closed) {
            throw new DeviceException(address() + " is closed");
        }
        IOException failure = resetFailure;
        if (failure != null) {
            String message = "the last reset of " + address() + " failed: " + failure.getMessage();
            throw failure instanceof DeviceGoneException
                    ? new DeviceGoneException(message, failure)
                    : new DeviceException(message, failure);
        }
    }

    private void checkSame(ControllerIdentity again) throws DeviceException {
        if (!again.serialNumber().equals(identity.serialNumber())) {
            throw new DeviceException(address() + " has the serial number " + again.serialNumber()
                    + " after a reset, and had " + identity.serialNumber() + " before; open it anew");
        }
        long capabilities = access.registers().read(NvmeRegisters.CAP);
        if (capabilities != access.capabilities()) {
            throw new DeviceException(address() + " has the capabilities 0x" + Long.toHexString(capabilities)
                    + " after a reset, and had 0x" + Long.toHexString(access.capabilities())
                    + " before; open it anew");
        }
    }

    private Initialization initializeAgain() throws IOException {
        try {
            return initialize(access);
        } catch (DeviceException | UncheckedIOException | InternalError stuck) {
            // A controller that does not answer to its own reset may answer to the function's, which has its registers
            // decoded again, too. What is gone does not answer at all.
            function.checkAnswers();
            function.reset();
            return initialize(access);
        }
    }

    /** What queue pairs ask for, on their threads. */
    private final class Owner implements QueueOwner {
        @Override
        public int resets() {
            return resets;
        }

        @Override
        public boolean isStopped() {
            return closed || resetFailure != null;
        }

        @Override
        public void checkUsable() throws IOException {
            NvmeController.this.checkUsable();
        }

        @Override
        public boolean delete(CommandQueue queue) {
            return deleteQueues(queue);
        }

        @Override
        public int create(CommandQueue queue) throws IOException {
            // Not while it is being reset.
            synchronized (NvmeController.this) {
                checkUsable();
                queues.createAgain(queue);
                return resets;
            }
        }

        @Override
        public boolean abort(CommandQueue queue, int commandId) {
            try {
                function.checkPresent();
                return admin.abort(queue.id(), commandId, ABORT_TIMEOUT);
            } catch (IOException noAnswer) {
                return false;
            }
        }

        @Override
        public void reset(int seenResets) throws IOException {
            NvmeController.this.reset(seenResets);
        }
    }

    /** Called by a queue pair that closes. Returns whether the controller confirmed that it is done with the memory. */
    private synchronized boolean deleteQueues(CommandQueue queue) {
        if (closed) {
            return false;
        }
        return queues.delete(queue);
    }

    /** Deletes the queue pairs, shuts the controller down as the specification asks (3.6.1), and closes its function. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        List<CommandQueue> open = queues.open();
        // What was on its way there is for the threads that they belong to.
        open.forEach(this::deleteQueues);
        hostMemory.takeBack();
        closed = true;
        resets++;
        open.forEach(CommandQueue::controllerCloses);
        admin.close();
        try {
            access.shutDown();
        } finally {
            function.close();
        }
    }

    @Override
    public String toString() {
        return address() + " (" + identity.modelNumber() + ", serial number " + identity.serialNumber() + ")";
    }
}
