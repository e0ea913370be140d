package dev.outboard.nvme;

import dev.outboard.driver.DeviceException;
import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.Identify;
import dev.outboard.specs.nvme.NamespaceCommand;
import dev.outboard.specs.nvme.Opcode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Namespaces are created, deleted, attached to controllers, detached and formatted. {@link NvmeController#namespaces} has
 * what came of it. Errors are those of {@link AdminCommands}. NVMe base specification 2.0, 5.14, 5.22 and 5.23.
 */
public final class NamespaceManagement {
    /** All namespaces. */
    public static final int ALL = -1;

    private static final long CHECK_ALL_BITS = -1;

    private final AdminCommands commands;
    private final NvmeController controller;

    NamespaceManagement(AdminCommands commands, NvmeController controller) {
        this.commands = commands;
        this.controller = controller;
    }

    /**
     * The namespaces that there are, attached to a controller or not.
     *
     * @return their identifiers, rising
     * @throws IOException if it fails
     */
    public List<Integer> allocated() throws IOException {
        return commands.namespaceIds(Identify.CNS_ALLOCATED_NAMESPACES, Identify.NVM_COMMAND_SET);
    }

    /**
     * What an allocated namespace is, attached or not.
     *
     * @param id its identifier
     * @return the data of identify namespace
     * @throws IOException if it fails
     */
    public StructView identify(int id) throws IOException {
        return Identify.NAMESPACE.view(commands.identify(Identify.CNS_ALLOCATED_NAMESPACE, id));
    }

    /**
     * The controllers that a namespace is attached to.
     *
     * @param id its identifier
     * @return the controllers' identifiers, rising
     * @throws IOException if it fails
     */
    public List<Integer> controllers(int id) throws IOException {
        return commands.controllerIds(Identify.CNS_ATTACHED_CONTROLLERS, id);
    }

    /**
     * Creates a namespace, which is attached to no controller yet. All bits of its storage tags are checked, if it has
     * some.
     *
     * @param blocks its size, all of it allocated
     * @param format how its blocks are
     * @return its identifier
     * @throws IOException if it fails
     */
    public int create(long blocks, NamespaceFormat format) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            StructView identity = Identify.NAMESPACE
                    .allocate(arena)
                    .set("nsze", blocks)
                    .set("ncap", blocks)
                    .set("flbas", format.flbas())
                    .set("dps", format.dps());
            if (Identify.CTRATT_EXTENDED_FORMATS.isSet(
                    controller.identity().data().get("ctratt"))) {
                identity.segment().set(ValueLayout.JAVA_LONG, Identify.CREATED_STORAGE_TAG_MASK, CHECK_ALL_BITS);
            }
            return create(identity, Identify.NVM_COMMAND_SET);
        }
    }

    /**
     * Creates a namespace of any command set, with all that can be said of it.
     *
     * @param identity the fields of identify namespace that the host sets, figure 310
     * @param commandSet the I/O command set, for example {@link Identify#ZONED_COMMAND_SET}
     * @return its identifier
     * @throws IOException if it fails
     */
    public int create(StructView identity, int commandSet) throws IOException {
        int id = commands.send(
                command(Opcode.NAMESPACE_MANAGEMENT, 0, NamespaceCommand.CREATE)
                        .dword(11, (int) NamespaceCommand.COMMAND_SET.of(commandSet)),
                identity.segment().asSlice(0, Identify.SIZE_BYTES));
        if (id == 0 || id == ALL) {
            throw new DeviceException(controller.address() + " says that it created namespace "
                    + Integer.toUnsignedString(id) + ", which cannot be");
        }
        return id;
    }

    /**
     * Deletes a namespace, with all data.
     *
     * @param id its identifier, or {@link #ALL}
     * @throws IOException if it fails
     */
    public void delete(int id) throws IOException {
        commands.execute(command(Opcode.NAMESPACE_MANAGEMENT, id, NamespaceCommand.DELETE));
    }

    /**
     * Attaches a namespace to this controller.
     *
     * @param id its identifier
     * @throws IOException if it fails
     */
    public void attach(int id) throws IOException {
        attach(id, List.of(own()));
    }

    /**
     * Attaches a namespace to controllers.
     *
     * @param id its identifier
     * @param controllers the controllers' identifiers
     * @throws IOException if it fails
     */
    public void attach(int id, List<Integer> controllers) throws IOException {
        sendList(command(Opcode.NAMESPACE_ATTACHMENT, id, NamespaceCommand.ATTACH), controllers);
    }

    /**
     * Detaches a namespace from this controller.
     *
     * @param id its identifier
     * @throws IOException if it fails
     */
    public void detach(int id) throws IOException {
        detach(id, List.of(own()));
    }

    /**
     * Detaches a namespace from controllers.
     *
     * @param id its identifier
     * @param controllers the controllers' identifiers
     * @throws IOException if it fails
     */
    public void detach(int id, List<Integer> controllers) throws IOException {
        sendList(command(Opcode.NAMESPACE_ATTACHMENT, id, NamespaceCommand.DETACH), controllers);
    }

    private int own() {
        return controller.identity().data().getInt("cntlid");
    }

    /** A controller list: a count, then identifiers, 16 bits each. */
    private void sendList(NvmeCommand command, List<Integer> controllers) throws IOException {
        short[] list = new short[Identify.SIZE_BYTES / Short.BYTES];
        if (controllers.size() >= list.length) {
            throw new IllegalArgumentException(
                    "a list has up to " + (list.length - 1) + " controllers, not " + controllers.size());
        }
        list[0] = (short) controllers.size();
        for (int i = 0; i < controllers.size(); i++) {
            list[i + 1] = controllers.get(i).shortValue();
        }
        try (Arena arena = Arena.ofConfined()) {
            commands.send(command, arena.allocateFrom(ValueLayout.JAVA_SHORT, list));
        }
    }

    private static NvmeCommand command(int opcode, int id, int select) {
        return NvmeCommand.of(opcode).namespace(id).dword(10, (int) NamespaceCommand.SELECT.of(select));
    }

    /**
     * Formats a namespace: all its data are gone. May take minutes: see {@link AdminCommands#withTimeout}.
     *
     * @param id its identifier, or {@link #ALL}
     * @param format how its blocks will be
     * @param secureErase {@link NamespaceCommand#ERASE_NONE}, {@link NamespaceCommand#ERASE_USER_DATA} or {@link
     *     NamespaceCommand#ERASE_CRYPTOGRAPHIC}
     * @throws IOException if it fails
     */
    public void format(int id, NamespaceFormat format, int secureErase) throws IOException {
        commands.execute(NvmeCommand.of(Opcode.FORMAT_NVM).namespace(id).dword(10, format.dword10(secureErase)));
    }
}
