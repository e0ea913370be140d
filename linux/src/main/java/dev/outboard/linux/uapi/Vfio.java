package dev.outboard.linux.uapi;

import static dev.outboard.linux.Ioctl.io;
import static dev.outboard.linux.Struct.u16;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Ioctl;
import dev.outboard.linux.Struct;

/** {@code <linux/vfio.h>}: containers, groups, devices, regions, interrupts and the type 1 IOMMU. */
public final class Vfio {
    private static final int TYPE = ';';
    private static final int BASE = 100;

    /** The version of the interface. */
    public static final int VFIO_API_VERSION = 0;
    /** The IOMMU of x86 and Arm, second version. */
    public static final int VFIO_TYPE1v2_IOMMU = 3;

    /** Returns {@link #VFIO_API_VERSION}. */
    public static final Ioctl VFIO_GET_API_VERSION = io("VFIO_GET_API_VERSION", TYPE, BASE);
    /** Whether an IOMMU model is supported. */
    public static final Ioctl VFIO_CHECK_EXTENSION = io("VFIO_CHECK_EXTENSION", TYPE, BASE + 1);
    /** Chooses the IOMMU model of a container. */
    public static final Ioctl VFIO_SET_IOMMU = io("VFIO_SET_IOMMU", TYPE, BASE + 2);
    /** Whether a group can be used. */
    public static final Ioctl VFIO_GROUP_GET_STATUS = io("VFIO_GROUP_GET_STATUS", TYPE, BASE + 3);
    /** Puts a group into a container. */
    public static final Ioctl VFIO_GROUP_SET_CONTAINER = io("VFIO_GROUP_SET_CONTAINER", TYPE, BASE + 4);
    /** Opens a device of a group by its name. */
    public static final Ioctl VFIO_GROUP_GET_DEVICE_FD = io("VFIO_GROUP_GET_DEVICE_FD", TYPE, BASE + 6);
    /** What a device is. */
    public static final Ioctl VFIO_DEVICE_GET_INFO = io("VFIO_DEVICE_GET_INFO", TYPE, BASE + 7);
    /** What a region is. */
    public static final Ioctl VFIO_DEVICE_GET_REGION_INFO = io("VFIO_DEVICE_GET_REGION_INFO", TYPE, BASE + 8);
    /** What a kind of interrupt is. */
    public static final Ioctl VFIO_DEVICE_GET_IRQ_INFO = io("VFIO_DEVICE_GET_IRQ_INFO", TYPE, BASE + 9);
    /** Enables, disables, masks and triggers interrupts. */
    public static final Ioctl VFIO_DEVICE_SET_IRQS = io("VFIO_DEVICE_SET_IRQS", TYPE, BASE + 10);
    /** Resets a device. */
    public static final Ioctl VFIO_DEVICE_RESET = io("VFIO_DEVICE_RESET", TYPE, BASE + 11);
    /** What a type 1 IOMMU can do. */
    public static final Ioctl VFIO_IOMMU_GET_INFO = io("VFIO_IOMMU_GET_INFO", TYPE, BASE + 12);
    /** Maps memory for DMA. */
    public static final Ioctl VFIO_IOMMU_MAP_DMA = io("VFIO_IOMMU_MAP_DMA", TYPE, BASE + 13);
    /** Unmaps memory. */
    public static final Ioctl VFIO_IOMMU_UNMAP_DMA = io("VFIO_IOMMU_UNMAP_DMA", TYPE, BASE + 14);

    /** Argument of {@link #VFIO_GROUP_GET_STATUS}. */
    public static final Struct GROUP_STATUS = Struct.of("vfio_group_status", u32("argsz"), u32("flags"));
    /** Group status: every device of the group is bound to a driver that VFIO accepts. */
    public static final int VFIO_GROUP_FLAGS_VIABLE = 1;
    /** Group status: the group is in a container. */
    public static final int VFIO_GROUP_FLAGS_CONTAINER_SET = 2;

    /** Argument of {@link #VFIO_DEVICE_GET_INFO}. */
    public static final Struct DEVICE_INFO = Struct.of(
            "vfio_device_info", u32("argsz"), u32("flags"), u32("num_regions"), u32("num_irqs"), u32("cap_offset"));
    /** Device info: the device can be reset. */
    public static final int VFIO_DEVICE_FLAGS_RESET = 1;
    /** Device info: a PCI device. */
    public static final int VFIO_DEVICE_FLAGS_PCI = 2;

    /** Argument of {@link #VFIO_DEVICE_GET_REGION_INFO}. */
    public static final Struct REGION_INFO = Struct.of(
            "vfio_region_info",
            u32("argsz"),
            u32("flags"),
            u32("index"),
            u32("cap_offset"),
            u64("size"),
            u64("offset"));
    /** Region info: can be read. */
    public static final int VFIO_REGION_INFO_FLAG_READ = 1;
    /** Region info: can be written. */
    public static final int VFIO_REGION_INFO_FLAG_WRITE = 2;
    /** Region info: can be mapped. */
    public static final int VFIO_REGION_INFO_FLAG_MMAP = 4;
    /** Region info: capabilities follow. */
    public static final int VFIO_REGION_INFO_FLAG_CAPS = 8;

    /** The head of every capability in an info structure. */
    public static final Struct INFO_CAP_HEADER =
            Struct.of("vfio_info_cap_header", u16("id"), u16("version"), u32("next"));
    /** Capability: only some areas of the region can be mapped. */
    public static final int VFIO_REGION_INFO_CAP_SPARSE_MMAP = 1;
    /** Capability: the MSI-X table may be mapped too. */
    public static final int VFIO_REGION_INFO_CAP_MSIX_MAPPABLE = 3;
    /** What follows the head of {@link #VFIO_REGION_INFO_CAP_SPARSE_MMAP}; then come the areas. */
    public static final Struct REGION_INFO_CAP_SPARSE_MMAP = Struct.of(
            "vfio_region_info_cap_sparse_mmap",
            u16("header.id"),
            u16("header.version"),
            u32("header.next"),
            u32("nr_areas"),
            u32("reserved"));
    /** One area of a sparse mapping. */
    public static final Struct REGION_SPARSE_MMAP_AREA =
            Struct.of("vfio_region_sparse_mmap_area", u64("offset"), u64("size"));

    /** Argument of {@link #VFIO_DEVICE_GET_IRQ_INFO}. */
    public static final Struct IRQ_INFO =
            Struct.of("vfio_irq_info", u32("argsz"), u32("flags"), u32("index"), u32("count"));
    /** Interrupt info: can be signalled through an eventfd. */
    public static final int VFIO_IRQ_INFO_EVENTFD = 1;
    /** Interrupt info: can be masked. */
    public static final int VFIO_IRQ_INFO_MASKABLE = 2;
    /** Interrupt info: masks itself when it fires. */
    public static final int VFIO_IRQ_INFO_AUTOMASKED = 4;
    /** Interrupt info: the number of vectors is fixed once enabled. */
    public static final int VFIO_IRQ_INFO_NORESIZE = 8;

    /** Argument of {@link #VFIO_DEVICE_SET_IRQS}; the data follows. */
    public static final Struct IRQ_SET =
            Struct.of("vfio_irq_set", u32("argsz"), u32("flags"), u32("index"), u32("start"), u32("count"));
    /** Interrupt set: no data. */
    public static final int VFIO_IRQ_SET_DATA_NONE = 1;
    /** Interrupt set: a byte each. */
    public static final int VFIO_IRQ_SET_DATA_BOOL = 2;
    /** Interrupt set: an eventfd each, −1 for none. */
    public static final int VFIO_IRQ_SET_DATA_EVENTFD = 4;
    /** Interrupt set: mask. */
    public static final int VFIO_IRQ_SET_ACTION_MASK = 8;
    /** Interrupt set: unmask. */
    public static final int VFIO_IRQ_SET_ACTION_UNMASK = 16;
    /** Interrupt set: trigger, or say what is triggered. */
    public static final int VFIO_IRQ_SET_ACTION_TRIGGER = 32;

    /** Region index of BAR 0; the other BARs follow. */
    public static final int VFIO_PCI_BAR0_REGION_INDEX = 0;
    /** Region index of the expansion ROM. */
    public static final int VFIO_PCI_ROM_REGION_INDEX = 6;
    /** Region index of configuration space. */
    public static final int VFIO_PCI_CONFIG_REGION_INDEX = 7;
    /** Number of fixed region indexes. */
    public static final int VFIO_PCI_NUM_REGIONS = 9;

    /** Interrupt index of INTx. */
    public static final int VFIO_PCI_INTX_IRQ_INDEX = 0;
    /** Interrupt index of MSI. */
    public static final int VFIO_PCI_MSI_IRQ_INDEX = 1;
    /** Interrupt index of MSI-X. */
    public static final int VFIO_PCI_MSIX_IRQ_INDEX = 2;
    /** Interrupt index of PCI errors. */
    public static final int VFIO_PCI_ERR_IRQ_INDEX = 3;
    /** Interrupt index of requests to give the device back. */
    public static final int VFIO_PCI_REQ_IRQ_INDEX = 4;
    /** Number of interrupt indexes. */
    public static final int VFIO_PCI_NUM_IRQS = 5;

    /** Argument of {@link #VFIO_IOMMU_GET_INFO}. */
    public static final Struct IOMMU_TYPE1_INFO =
            Struct.of("vfio_iommu_type1_info", u32("argsz"), u32("flags"), u64("iova_pgsizes"), u32("cap_offset"));
    /** Capability: the ranges of I/O virtual addresses that may be used. */
    public static final int VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = 1;
    /** What follows the head of {@link #VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE}; then come the ranges. */
    public static final Struct IOMMU_TYPE1_INFO_CAP_IOVA_RANGE = Struct.of(
            "vfio_iommu_type1_info_cap_iova_range",
            u16("header.id"),
            u16("header.version"),
            u32("header.next"),
            u32("nr_iovas"),
            u32("reserved"));
    /** One range of I/O virtual addresses, both ends included. */
    public static final Struct IOVA_RANGE = Struct.of("vfio_iova_range", u64("start"), u64("end"));

    /** Argument of {@link #VFIO_IOMMU_MAP_DMA}. */
    public static final Struct IOMMU_TYPE1_DMA_MAP =
            Struct.of("vfio_iommu_type1_dma_map", u32("argsz"), u32("flags"), u64("vaddr"), u64("iova"), u64("size"));
    /** DMA map: the device may read. */
    public static final int VFIO_DMA_MAP_FLAG_READ = 1;
    /** DMA map: the device may write. */
    public static final int VFIO_DMA_MAP_FLAG_WRITE = 2;
    /** Argument of {@link #VFIO_IOMMU_UNMAP_DMA}. */
    public static final Struct IOMMU_TYPE1_DMA_UNMAP =
            Struct.of("vfio_iommu_type1_dma_unmap", u32("argsz"), u32("flags"), u64("iova"), u64("size"));

    private Vfio() {}
}
