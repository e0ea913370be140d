package dev.outboard.emulation.nvme;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.outboard.emulation.nvme.TestDriver.Command;
import dev.outboard.emulation.nvme.TestDriver.Done;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Opcode;
import dev.outboard.specs.nvme.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Namespaces come, go and change; identify tells. */
class NvmeNamespacesTest extends NvmeTestBase {
    private static Command management(int select, int namespace) {
        return new Command(Opcode.NAMESPACE_MANAGEMENT)
                .namespace(namespace)
                .prp1(DATA)
                .dwords(select);
    }

    private Command create(long blocks, int format, int commandSet) {
        Identify.NAMESPACE
                .view(driver.at(DATA, PAGE).fill((byte) 0))
                .set("nsze", blocks)
                .set("ncap", blocks)
                .set("flbas", format);
        return management(NamespaceCommand.CREATE, 0).dword(11, commandSet << 24);
    }

    private int attach(int select, int namespace) throws IOException {
        driver.at(DATA, PAGE).fill((byte) 0).set(JAVA_INT, 0, 1 << 16 | 1);
        return adminStatus(new Command(Opcode.NAMESPACE_ATTACHMENT)
                .namespace(namespace)
                .prp1(DATA)
                .dwords(select));
    }

    private List<Integer> list(int cns, int dword11) throws IOException {
        assertThat(adminStatus(identify(cns, 0).dword(11, dword11))).isZero();
        List<Integer> ids = new ArrayList<>();
        for (int i = 0; driver.at(DATA, PAGE).getAtIndex(JAVA_INT, i) != 0; i++) {
            ids.add(driver.at(DATA, PAGE).getAtIndex(JAVA_INT, i));
        }
        return ids;
    }

    private StructView namespace(int cns, int id) throws IOException {
        assertThat(adminStatus(identify(cns, id))).isZero();
        return Identify.NAMESPACE.view(driver.at(DATA, PAGE));
    }

    private long unallocated() throws IOException {
        assertThat(adminStatus(identify(Identify.CNS_CONTROLLER, 0))).isZero();
        return Identify.CONTROLLER.view(driver.at(DATA, PAGE)).slice("unvmcap").get(JAVA_LONG, 0);
    }

    @Test
    void namespacesAreDeletedCreatedAndAttached() throws IOException {
        assertThat(unallocated()).isZero();
        assertThat(adminStatus(create(8, 0, 0))).isEqualTo(Status.INSUFFICIENT_CAPACITY);
        assertThat(adminStatus(management(NamespaceCommand.DELETE, 1))).isZero();
        assertThat(unallocated()).isEqualTo(4 << 20);
        assertThat(list(Identify.CNS_ALLOCATED_NAMESPACES, 0)).isEmpty();
        assertThat(status(TestDriver.read(0, 1).prp1(DATA))).isEqualTo(Status.INVALID_FIELD);

        assertThat(driver.execute(admin, create(2048, 0, 0)).result()).isEqualTo(1);
        Done second = driver.execute(admin, create(256, 4, 0));
        assertThat(second.status()).isZero();
        assertThat(second.result()).isEqualTo(2);
        assertThat(list(Identify.CNS_ALLOCATED_NAMESPACES, 0)).containsExactly(1, 2);
        assertThat(list(Identify.CNS_ACTIVE_NAMESPACES, 0)).isEmpty();
        assertThat(namespace(Identify.CNS_NAMESPACE, 2).get("nsze"))
                .as("not active")
                .isZero();
        assertThat(namespace(Identify.CNS_ALLOCATED_NAMESPACE, 2).get("nsze")).isEqualTo(256);
        assertThat(status(TestDriver.read(0, 1).namespace(2).prp1(DATA))).isEqualTo(Status.INVALID_FIELD);

        assertThat(attach(NamespaceCommand.ATTACH, 2)).isZero();
        assertThat(attach(NamespaceCommand.ATTACH, 2)).isEqualTo(Status.ALREADY_ATTACHED);
        assertThat(attach(NamespaceCommand.DETACH, 1)).isEqualTo(Status.NOT_ATTACHED);
        assertThat(list(Identify.CNS_ACTIVE_NAMESPACES, 0)).containsExactly(2);
        random(OTHER, PAGE, 1);
        assertThat(status(TestDriver.write(255, 1).namespace(2).prp1(OTHER))).isZero();
        assertThat(status(TestDriver.read(256, 1).namespace(2).prp1(OTHER))).isEqualTo(Status.LBA_OUT_OF_RANGE);

        assertThat(adminStatus(management(NamespaceCommand.DELETE, -1))).isZero();
        assertThat(list(Identify.CNS_ALLOCATED_NAMESPACES, 0)).isEmpty();
        assertThat(driver.execute(admin, create(1024, 4, 0)).result()).isEqualTo(1);
        assertThat(attach(NamespaceCommand.ATTACH, 1)).isZero();
        assertThat(status(TestDriver.read(511, 1).prp1(OTHER))).isZero();
        assertThat(bytes(OTHER, PAGE)).as("nothing is left of the old one").containsOnly(0);
    }

    @Test
    void namespacesThatCannotBeAreRefused() throws IOException {
        assertThat(adminStatus(management(NamespaceCommand.DELETE, 1))).isZero();
        assertThat(adminStatus(create(0, 0, 0))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(create(-1, 0, 0))).isEqualTo(Status.INSUFFICIENT_CAPACITY);
        assertThat(adminStatus(create(Long.MAX_VALUE, 4, 0))).isEqualTo(Status.INSUFFICIENT_CAPACITY);
        assertThat(adminStatus(create(8, 1 << 5 | 8, 0))).isEqualTo(Status.INVALID_FORMAT);
        assertThat(adminStatus(create(8, 0, 1))).isEqualTo(Status.COMMAND_SET_NOT_SUPPORTED);
        Command thin = create(8, 0, 0);
        driver.at(DATA + 8, 8).set(JAVA_LONG, 0, 4);
        assertThat(adminStatus(thin)).isEqualTo(Status.THIN_PROVISIONING_UNSUPPORTED);
        assertThat(adminStatus(management(2, 1))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(management(NamespaceCommand.DELETE, 1))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(management(NamespaceCommand.DELETE, 99))).isEqualTo(Status.INVALID_NAMESPACE);
        for (int i = 1; i <= 16; i++) {
            assertThat(driver.execute(admin, create(8, 0, 0)).result()).isEqualTo(i);
        }
        assertThat(adminStatus(create(8, 0, 0))).isEqualTo(Status.NAMESPACE_ID_UNAVAILABLE);
        driver.at(DATA, PAGE).set(JAVA_SHORT, 0, (short) 2);
        assertThat(adminStatus(
                        new Command(Opcode.NAMESPACE_ATTACHMENT).namespace(1).prp1(DATA)))
                .isEqualTo(Status.CONTROLLER_LIST_INVALID);
    }

    @Test
    void zonedNamespacesAreCreatedToo() throws IOException {
        serveAgain(options().withSizeBytes(64 << 20));
        assertThat(adminStatus(management(NamespaceCommand.DELETE, 1))).isZero();
        assertThat(adminStatus(create(1000, 0, Identify.ZONED_COMMAND_SET))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(create(65536, 0, Identify.ZONED_COMMAND_SET))).isZero();
        assertThat(adminStatus(create(8, 0, Identify.NVM_COMMAND_SET))).isZero();
        assertThat(list(Identify.CNS_COMMAND_SET_ALLOCATED_NAMESPACES, 2 << 24)).containsExactly(1);
        assertThat(list(Identify.CNS_COMMAND_SET_ALLOCATED_NAMESPACES, 0)).containsExactly(2);
        assertThat(attach(NamespaceCommand.ATTACH, 1)).isZero();
        assertThat(list(Identify.CNS_COMMAND_SET_ACTIVE_NAMESPACES, 2 << 24)).containsExactly(1);
        assertThat(list(Identify.CNS_COMMAND_SET_ACTIVE_NAMESPACES, 0)).isEmpty();
    }

    @Test
    void changesAreEventsOncePerReadOfTheLog() throws IOException {
        int request = driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertThat(attach(NamespaceCommand.DETACH, 1)).isZero();
        Done event = driver.await(admin);
        assertThat(event.commandId()).isEqualTo(request);
        assertThat(event.result()).isEqualTo(AsynchronousEvent.NAMESPACES_CHANGED);
        driver.submit(admin, new Command(Opcode.ASYNCHRONOUS_EVENT_REQUEST));
        assertThat(attach(NamespaceCommand.ATTACH, 1))
                .as("no event before the log was read")
                .isZero();
        assertThat(log(LogPage.CHANGED_NAMESPACES).get(JAVA_INT, 0)).isEqualTo(1);
        assertThat(log(LogPage.CHANGED_NAMESPACES).get(JAVA_INT, 0)).isZero();
        assertThat(attach(NamespaceCommand.DETACH, 1)).isZero();
        assertThat(driver.await(admin).result()).isEqualTo(AsynchronousEvent.NAMESPACES_CHANGED);
    }

    @ParameterizedTest
    @CsvSource({
        "0x0, 512, 0, 0",
        "0x1, 512, 8, 0",
        "0x4, 4096, 0, 0",
        "0x7, 4096, 64, 0",
        "0x35, 4096, 8, 1",
        "0x161, 512, 8, 3"
    })
    void formattingChangesBlocksAndErases(String dword10, int blockBytes, int metadataBytes, int protection)
            throws IOException {
        random(DATA, PAGE, 1);
        assertThat(status(TestDriver.write(0, 8).prp1(DATA))).isZero();
        assertThat(adminStatus(new Command(Opcode.FORMAT_NVM).namespace(1).dwords(Integer.decode(dword10))))
                .isZero();
        StructView identity = namespace(Identify.CNS_NAMESPACE, 1);
        int index = (int) Identify.FLBAS_INDEX_LOW.get(identity.get("flbas"));
        int format = identity.slice("lbaf").getAtIndex(JAVA_INT, index);
        assertThat(1 << Identify.LBA_FORMAT_LBADS.get(format)).isEqualTo(blockBytes);
        assertThat(Identify.LBA_FORMAT_MS.get(format)).isEqualTo(metadataBytes);
        assertThat(identity.get("nsze")).isEqualTo((4 << 20) / blockBytes);
        assertThat(identity.get("dps") & 7).isEqualTo(protection);
        assertThat(status(TestDriver.read(0, 1).prp1(DATA).prp2(OTHER).metadata(OTHER + PAGE)))
                .isZero();
        assertThat(bytes(DATA, blockBytes)).containsOnly(0);
    }

    @Test
    void formatsThatAreNotThereAreRefused() throws IOException {
        Command format = new Command(Opcode.FORMAT_NVM).namespace(1);
        assertThat(adminStatus(format.dwords(1 << 12 | 8))).isEqualTo(Status.INVALID_FORMAT);
        assertThat(adminStatus(format.dwords(2 << 12))).isEqualTo(Status.INVALID_FORMAT);
        assertThat(adminStatus(format.dwords(1 << 5)))
                .as("protection information without metadata")
                .isEqualTo(Status.INVALID_FORMAT);
        assertThat(adminStatus(format.dwords(4 << 5 | 1))).isEqualTo(Status.INVALID_FORMAT);
        assertThat(adminStatus(format.dwords(3 << 9))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(format.namespace(2).dwords(0))).isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(format.namespace(-1).dwords(0))).isZero();
    }

    @Test
    void identifyKnowsItsPages() throws IOException {
        assertThat(namespace(Identify.CNS_NAMESPACE, 2).get("nsze")).isZero();
        assertThat(namespace(Identify.CNS_NAMESPACE, -1).get("nlbaf")).isEqualTo(15);
        assertThat(adminStatus(identify(Identify.CNS_ATTACHED_CONTROLLERS, 1))).isZero();
        assertThat(driver.at(DATA, 4).get(JAVA_INT, 0)).isEqualTo(1 << 16 | 1);
        assertThat(adminStatus(identify(Identify.CNS_CONTROLLERS | 2 << 16, 0))).isZero();
        assertThat(driver.at(DATA, 4).get(JAVA_INT, 0))
                .as("from controller 2 on")
                .isZero();
        assertThat(adminStatus(identify(Identify.CNS_PRIMARY_CONTROLLER, 0))).isZero();
        assertThat(driver.at(DATA, 4).get(JAVA_SHORT, 0)).isEqualTo((short) 1);
        assertThat(adminStatus(identify(Identify.CNS_INDEPENDENT_NAMESPACE, 1))).isZero();
        assertThat(Identify.INDEPENDENT_NAMESPACE.view(driver.at(DATA, PAGE)).get("nstat"))
                .isEqualTo(1);
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_NAMESPACE, 1))).isZero();
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_CONTROLLER, 0)))
                .isZero();
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_CONTROLLER, 0).dword(11, 1 << 24)))
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(identify(Identify.CNS_COMMAND_SET_NAMESPACE, 1).dword(11, 2 << 24)))
                .as("no zones")
                .isEqualTo(Status.INVALID_FIELD);
        assertThat(adminStatus(identify(Identify.CNS_ACTIVE_NAMESPACES, -2))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(adminStatus(identify(Identify.CNS_NAMESPACE_DESCRIPTORS, 2))).isEqualTo(Status.INVALID_NAMESPACE);
        assertThat(adminStatus(identify(0x55, 1))).isEqualTo(Status.INVALID_FIELD);
    }
}
