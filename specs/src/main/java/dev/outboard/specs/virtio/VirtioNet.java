package dev.outboard.specs.virtio;

import static dev.outboard.memory.Register.Access.READ_ONLY;

import dev.outboard.memory.Field;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;

/** A virtio network card: features, configuration space, the header of frames, control commands. VIRTIO 1.2, 5.1. */
public final class VirtioNet {
    /** Feature: {@link #MTU} is valid. */
    public static final long FEATURE_MTU = 1L << 3;
    /** Feature: {@link #MAC} is valid. */
    public static final long FEATURE_MAC = 1L << 5;
    /** Feature: a received frame may take several requests. */
    public static final long FEATURE_MRG_RXBUF = 1L << 15;
    /** Feature: {@link #STATUS} is valid. */
    public static final long FEATURE_STATUS = 1L << 16;
    /** Feature: there is a queue for control commands. */
    public static final long FEATURE_CTRL_VQ = 1L << 17;
    /** Feature: the driver says what is received. */
    public static final long FEATURE_CTRL_RX = 1L << 18;
    /** Feature: the driver says which VLANs are received. */
    public static final long FEATURE_CTRL_VLAN = 1L << 19;
    /** Feature: more commands of {@link #CLASS_RX}. */
    public static final long FEATURE_CTRL_RX_EXTRA = 1L << 20;
    /** Feature: the device asks the driver to announce itself. */
    public static final long FEATURE_GUEST_ANNOUNCE = 1L << 21;
    /** Feature: several pairs of queues. */
    public static final long FEATURE_MQ = 1L << 22;
    /** Feature: the driver sets the address. */
    public static final long FEATURE_CTRL_MAC_ADDR = 1L << 23;

    /** The size of an address. */
    public static final int MAC_BYTES = 6;
    /** The address: its first byte, and five more. */
    public static final Register MAC = Register.of("mac", 0, 8, READ_ONLY, "5.1.4");
    /** Status: there is a link. */
    public static final Field STATUS_LINK_UP = Field.bit("LINK_UP", 0);
    /** Status: the driver shall announce itself. */
    public static final Field STATUS_ANNOUNCE = Field.bit("ANNOUNCE", 1);
    /** Whether there is a link. */
    public static final Register STATUS =
            Register.of("status", 6, 16, READ_ONLY, "5.1.4", STATUS_LINK_UP, STATUS_ANNOUNCE);
    /** How many pairs of queues there are at most. */
    public static final Register MAX_VIRTQUEUE_PAIRS = Register.of("max_virtqueue_pairs", 8, 16, READ_ONLY, "5.1.4");
    /** The longest payload of a frame, in bytes. */
    public static final Register MTU = Register.of("mtu", 10, 16, READ_ONLY, "5.1.4");
    /** The size of configuration space up to where it is defined here, in bytes. */
    public static final int CONFIGURATION_BYTES = 12;

    /** All of configuration space. */
    public static final RegisterMap CONFIGURATION = RegisterMap.of("virtio-net", MAC, STATUS, MAX_VIRTQUEUE_PAIRS, MTU);

    /** The queue that the first pair receives from; each pair has one to receive from and one to send to. 5.1.2. */
    public static final int RECEIVE_QUEUE = 0;
    /** The queue that the first pair sends to. */
    public static final int TRANSMIT_QUEUE = 1;
    /** How many queues a pair has. */
    public static final int QUEUES_A_PAIR = 2;

    /** The size of what stands before each frame. 5.1.6. */
    public static final int HEADER_BYTES = 12;
    /** Header: flags, 8 bits. */
    public static final int HEADER_FLAGS = 0;
    /** Header: what the frame is to be cut into, 8 bits; 0 for nothing. */
    public static final int HEADER_GSO_TYPE = 1;
    /** Header: how many requests a received frame takes, 16 bits. */
    public static final int HEADER_NUM_BUFFERS = 10;

    /** The size of what a command begins with: its class and its number. 5.1.6.5. */
    public static final int COMMAND_BYTES = 2;
    /** The size of what a command ends with, which the device writes. */
    public static final int ACK_BYTES = 1;
    /** Ack: done. */
    public static final int ACK_OK = 0;
    /** Ack: not done. */
    public static final int ACK_ERROR = 1;

    /** Class: what is received. Each command has a byte, 0 or 1. 5.1.6.5.1. */
    public static final int CLASS_RX = 0;
    /** Everything. */
    public static final int RX_PROMISCUOUS = 0;
    /** All multicasts. */
    public static final int RX_ALL_MULTICAST = 1;
    /** All unicasts. */
    public static final int RX_ALL_UNICAST = 2;
    /** No multicasts. */
    public static final int RX_NO_MULTICAST = 3;
    /** No unicasts. */
    public static final int RX_NO_UNICAST = 4;
    /** No broadcasts. */
    public static final int RX_NO_BROADCAST = 5;

    /** Class: addresses. 5.1.6.5.2. */
    public static final int CLASS_MAC = 1;
    /** A table of unicasts and one of multicasts, each with its count (32 bits) before it. */
    public static final int MAC_TABLE_SET = 0;
    /** The card's own address. */
    public static final int MAC_ADDRESS_SET = 1;

    /** Class: VLANs, each command with an id of 16 bits. 5.1.6.5.3. */
    public static final int CLASS_VLAN = 2;
    /** Receive a VLAN. */
    public static final int VLAN_ADD = 0;
    /** Receive it no more. */
    public static final int VLAN_DELETE = 1;
    /** How many VLANs there are. */
    public static final int VLANS = 4096;

    /** Class: announcements. 5.1.6.5.4. */
    public static final int CLASS_ANNOUNCE = 3;
    /** The driver has announced itself. */
    public static final int ANNOUNCE_ACK = 0;

    /** Class: pairs of queues. 5.1.6.5.5. */
    public static final int CLASS_MQ = 4;
    /** How many pairs are in use, 16 bits. */
    public static final int MQ_PAIRS_SET = 0;

    private VirtioNet() {}
}
