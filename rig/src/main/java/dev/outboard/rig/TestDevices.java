package dev.outboard.rig;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The devices in every guest, at fixed addresses, so that tests can name them. The images of the namespaces are raw files
 * in {@link Guest#directory()}.
 */
public final class TestDevices {
    /** An NVMe controller, serial number {@code OUTBOARD-0}, with one namespace of 512-byte blocks. */
    public static final String NVME0 = "0000:00:04.0";

    /**
     * An NVMe controller, serial number {@code OUTBOARD-1}, with a namespace of 512-byte and one of 4096-byte blocks; it
     * transfers up to 1 MiB at once, the first 512 KiB.
     */
    public static final String NVME1 = "0000:00:05.0";

    /**
     * An NVMe controller, serial number {@code OUTBOARD-3}, alone in a subsystem, with the namespaces of {@link
     * #NVME2_NAMESPACES}.
     */
    public static final String NVME2 = "0000:00:1c.0";

    /** QEMU's device for teaching, with 64 address lines. */
    public static final String EDU = "0000:00:06.0";

    /** An Intel 82574L network card; behind it is QEMU's user network, cut off from the host and from all else. */
    public static final String E1000E = "0000:00:07.0";

    /** Two 16550 ports on one PCI function; what is sent on one arrives at the other. */
    public static final String SERIAL = "0000:00:08.0";

    /** An empty slot for devices plugged in through {@link Guest#monitor()}; the bus is {@code slot0}. */
    public static final String SLOT = "0000:00:09.0";

    /** An SD card reader without a card: registers that take accesses of 1, 2 and 4 bytes. */
    public static final String SDHCI = "0000:00:0a.0";

    /** A virtio disk of 512-byte blocks, serial number {@code OUTBOARD-2}, with four queues; packed rings if asked. */
    public static final String VIRTIO_BLOCK = "0000:00:1d.0";

    /** ivshmem without a doorbell: memory in a BAR. */
    public static final String SHARED_MEMORY = "0000:00:0f.0";

    /** The image of the namespace of {@link #NVME0}. */
    public static final String NVME0_IMAGE = "nvme0.img";

    /** The image of namespace 1, 512-byte blocks, of {@link #NVME1}. */
    public static final String NVME1_IMAGE_512 = "nvme1n1.img";

    /** The image of namespace 2, 4096-byte blocks, of {@link #NVME1}. */
    public static final String NVME1_IMAGE_4096 = "nvme1n2.img";

    /**
     * The namespaces of {@link #NVME2}, from 1, as properties of QEMU's {@code nvme-ns}: of 512-byte blocks, of 4096-byte
     * blocks, with metadata apart and between the blocks, with protection information, with zones, and one that is not
     * attached. Their images are {@code nvme2n1.img} and so on.
     */
    static final List<String> NVME2_NAMESPACES = List.of(
            "logical_block_size=512",
            "logical_block_size=4096,physical_block_size=4096",
            "ms=8",
            "ms=8,mset=1",
            "ms=8,pi=1",
            "zoned=on,zoned.zone_size=1M,zoned.max_open=3,zoned.max_active=5",
            "detached=on");

    /** The size of each image of {@link #NVME2}. */
    static final long NVME2_IMAGE_BYTES = 16L << 20;

    /**
     * An image for a controller that is plugged in at {@link #SLOT}, the block device {@code plugged}: it stays when the
     * controller goes.
     */
    static final String PLUGGED_IMAGE = "plugged.img";

    /** The image of {@link #VIRTIO_BLOCK}. */
    public static final String VIRTIO_IMAGE = "virtio.img";

    /** The size of each image. */
    public static final long IMAGE_BYTES = 64L << 20;

    /** Where the devices begin that the rig itself needs, so that they do not move the others. */
    static final int FIRST_FREE_SLOT = 0x10;

    private TestDevices() {}

    static List<String> create(Path directory) throws IOException {
        for (String image : List.of(NVME0_IMAGE, NVME1_IMAGE_512, NVME1_IMAGE_4096, VIRTIO_IMAGE, PLUGGED_IMAGE)) {
            make(directory.resolve(image), IMAGE_BYTES);
        }
        List<String> arguments = new ArrayList<>();
        drive(arguments, "nvm0", NVME0_IMAGE);
        drive(arguments, "nvm1n1", NVME1_IMAGE_512);
        drive(arguments, "nvm1n2", NVME1_IMAGE_4096);
        drive(arguments, "virtio", VIRTIO_IMAGE);
        device(arguments, NVME0, "nvme,id=nvme0,serial=OUTBOARD-0,drive=nvm0");
        device(arguments, NVME1, "nvme,id=nvme1,serial=OUTBOARD-1,mdts=8");
        String blocks = ",logical_block_size=%1$d,physical_block_size=%1$d";
        arguments.addAll(List.of("-device", "nvme-ns,bus=nvme1,nsid=1,drive=nvm1n1" + blocks.formatted(512)));
        arguments.addAll(List.of("-device", "nvme-ns,bus=nvme1,nsid=2,drive=nvm1n2" + blocks.formatted(4096)));
        arguments.addAll(List.of("-device", "nvme-subsys,id=subsystem2,nqn=OUTBOARD-3"));
        device(arguments, NVME2, "nvme,id=nvme2,serial=OUTBOARD-3,subsys=subsystem2");
        for (int id = 1; id <= NVME2_NAMESPACES.size(); id++) {
            String name = "nvme2n" + id;
            make(directory.resolve(name + ".img"), NVME2_IMAGE_BYTES);
            drive(arguments, name, name + ".img");
            String place = "nvme-ns,bus=nvme2,nsid=%d,drive=%s,".formatted(id, name);
            arguments.addAll(List.of("-device", place + NVME2_NAMESPACES.get(id - 1)));
        }
        arguments.addAll(
                List.of("-blockdev", "driver=raw,node-name=plugged,file.driver=file,file.filename=" + PLUGGED_IMAGE));
        // By itself it has 28 address lines, and physical memory lies above.
        device(arguments, EDU, "edu,id=edu,dma_mask=0xffffffffffffffff");
        arguments.addAll(List.of("-netdev", "user,id=net0,restrict=on"));
        // Without a boot ROM, which only costs time.
        device(arguments, E1000E, "e1000e,id=e1000e,netdev=net0,romfile=");
        arguments.addAll(List.of("-chardev", "socket,id=wire0,path=wire.sock,server=on,wait=off"));
        arguments.addAll(List.of("-chardev", "socket,id=wire1,path=wire.sock,server=off"));
        device(arguments, SERIAL, "pci-serial-2x,id=serial,chardev1=wire0,chardev2=wire1");
        device(arguments, SLOT, "pcie-root-port,id=slot0,chassis=1,slot=1");
        device(arguments, SDHCI, "sdhci-pci,id=sdhci");
        // Behind the IOMMU, as the others are.
        device(
                arguments,
                VIRTIO_BLOCK,
                "virtio-blk-pci,id=virtio,drive=virtio,serial=OUTBOARD-2,disable-legacy=on,iommu_platform=on,packed=on,"
                        + "num-queues=4");
        arguments.addAll(List.of("-object", "memory-backend-ram,id=shared,share=on,size=1M"));
        device(arguments, SHARED_MEMORY, "ivshmem-plain,id=ivshmem,memdev=shared");
        return arguments;
    }

    private static void make(Path image, long sizeBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
    }

    private static void drive(List<String> arguments, String id, String image) {
        arguments.addAll(List.of("-drive", "if=none,format=raw,discard=unmap,id=%s,file=%s".formatted(id, image)));
    }

    private static void device(List<String> arguments, String address, String description) {
        arguments.addAll(List.of("-device", description + ",bus=pcie.0,addr=" + slotAndFunction(address)));
    }

    static String slotAndFunction(String address) {
        return address.substring(address.lastIndexOf(':') + 1);
    }
}
