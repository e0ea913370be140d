package dev.outboard.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.driver.Waiting;
import dev.outboard.memory.DmaMemory;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Zone;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * A controller that answers anything. Whatever the driver makes of it is a value or an {@link IOException}: no other
 * exception, and nothing that does not end.
 */
class RandomAnswersTest {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    /** Some answers cost a deadline. */
    private static final Duration SHORT = Duration.ofMillis(100);

    private static final int ROUNDS = 150;
    private static final int MOST_CHANGES = 40;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private int values;
    private int errors;

    private interface Call {
        Object run() throws IOException;
    }

    private void use(Call call) {
        try {
            // What is printed is looked at.
            assertThat(String.valueOf(call.run())).isNotNull();
            values++;
        } catch (IOException reported) {
            errors++;
        }
    }

    /** Makes data zeros, ones, anything, or changes a few bytes. */
    private void spoil(MemorySegment data) {
        int kind = random.nextInt(6);
        if (kind < 2) {
            data.fill((byte) -kind);
        } else if (kind == 2) {
            byte[] bytes = new byte[(int) data.byteSize()];
            random.nextBytes(bytes);
            data.copyFrom(MemorySegment.ofArray(bytes));
        } else {
            for (int i = random.nextInt(MOST_CHANGES); i > 0; i--) {
                data.set(ValueLayout.JAVA_BYTE, random.nextLong(data.byteSize()), (byte) random.nextInt());
            }
        }
    }

    private FakeController liar() {
        FakeController fake = new FakeController();
        if (random.nextInt(4) == 0) {
            fake.capabilities ^= 1L << random.nextInt(Long.SIZE);
        }
        if (random.nextBoolean()) {
            fake.capabilities |= NvmeRegisters.CAP_CSS.of(NvmeRegisters.CSS_HAS_COMMAND_SETS);
        }
        boolean atOnce = random.nextBoolean();
        int[] honest = {atOnce ? 0 : random.nextInt(8)};
        fake.answer = (opcode, dword10, data) -> {
            if (honest[0]-- > 0) {
                return 0;
            }
            if (data.byteSize() > 0) {
                spoil(data);
            }
            return random.nextInt(4) == 0 ? random.nextInt() : random.nextInt(2) - 1;
        };
        return fake;
    }

    private void useAll(NvmeController controller) throws IOException {
        AdminCommands admin = controller.admin();
        use(controller::toString);
        use(controller::maximumTransferBytes);
        use(() -> admin.namespaceIds(Identify.CNS_ACTIVE_NAMESPACES, 0));
        use(() -> admin.controllerIds(Identify.CNS_CONTROLLERS, 0));
        use(() -> admin.namespaceDescriptors(1).stream()
                .map(NamespaceDescriptor::hex)
                .toList());
        use(() -> admin.namespaces().allocated());
        use(() -> admin.namespaces().create(8, NamespaceFormat.of(0)));
        use(() -> admin.logs().smart().counter("data_units_read"));
        use(() -> admin.logs().smart().sensorKelvin(8));
        use(() -> admin.logs().errors(256).stream().map(ErrorEntry::status).toList());
        use(() -> admin.logs().firmwareSlots());
        use(() -> admin.logs().changedNamespaces());
        use(() -> admin.logs().commandEffects().io(0xff));
        use(() -> admin.logs().selfTests());
        use(() -> admin.logs().sanitizeStatus().progress());
        use(() -> admin.features().queueCounts());
        use(() -> admin.features().arbitration());
        use(() -> admin.features().interruptCoalescing());
        use(() -> admin.features().hostId());
        use(() -> {
            admin.firmware().download(MemorySegment.ofArray(new byte[1 << 14]));
            return 0;
        });
        for (NvmeNamespace namespace : controller.namespaces().stream().limit(4).toList()) {
            if (namespace.metadataBytes() != 0) {
                // No block device.
                continue;
            }
            use(() -> List.of(namespace.formats(), namespace.optimalSizes(), namespace.hasExtendedBlocks()));
            use(() -> {
                try (NvmeBlockDevice disk = new NvmeBlockDevice(controller, namespace, Waiting.POLL);
                        DmaMemory block = disk.allocate(disk.blockSizeBytes())) {
                    disk.read(0, block);
                    disk.trim(0, 1);
                    return disk.blockCount();
                }
            });
        }
        use(() -> {
            controller.reset();
            return 0;
        });
    }

    @Test
    void everyAnswerIsAValueOrAnIoException() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Watchdog.call(LIMIT, "seed " + seed + " round " + round, () -> {
                try (NvmeController controller = Nvme.open(liar(), NvmeSettings.DEFAULT.withCommandTimeout(SHORT))) {
                    useAll(controller);
                } catch (IOException refused) {
                    errors++;
                } catch (RuntimeException e) {
                    throw new AssertionError("seed " + seed, e);
                }
                return null;
            });
        }
        // Neither is all refused, nor all believed.
        assertThat(values).isGreaterThan(ROUNDS);
        assertThat(errors).isGreaterThan(ROUNDS);
    }

    @Test
    void everyReportIsAValueOrAnIoException() throws IOException {
        try (NvmeController controller = Nvme.open(new FakeController());
                Arena arena = Arena.ofConfined()) {
            NvmeNamespace namespace = controller.namespace(1).withZones(new ZoneInformation(64, 16, 0, 0, 0, false, 0));
            for (int round = 0; round < ROUNDS; round++) {
                MemorySegment report = arena.allocate(1L << 12, Long.BYTES);
                report.set(ValueLayout.JAVA_LONG, 0, random.nextInt(80));
                for (int zone = 0; zone < 16; zone++) {
                    MemorySegment one = report.asSlice(
                            Zone.REPORT_HEAD_BYTES + zone * Zone.DESCRIPTOR.byteSize(), Zone.DESCRIPTOR.byteSize());
                    Zone.DESCRIPTOR
                            .view(one)
                            .set("zslba", zone * 64L)
                            .set("zcap", 64)
                            .set("zs", Zone.STATE.of(Zone.FULL));
                }
                spoil(report);
                use(() -> ZoneDescriptor.listOf(namespace, report));
                use(() -> ReservationReport.of(report, random.nextBoolean()));
            }
        }
        assertThat(values).as("seed %d", seed).isPositive();
        assertThat(errors).as("seed %d", seed).isPositive();
    }
}
