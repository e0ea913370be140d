package dev.outboard.linux.uapi;

import static dev.outboard.linux.Ioctl.io;
import static dev.outboard.linux.Struct.u32;
import static dev.outboard.linux.Struct.u64;

import dev.outboard.linux.Ioctl;
import dev.outboard.linux.Struct;

/**
 * {@code <linux/iommufd.h>}, and what {@code <linux/vfio.h>} has for it: I/O address spaces of {@code /dev/iommu}, and VFIO
 * devices that are attached to one. Linux 6.6; the kernel needs CONFIG_IOMMUFD and CONFIG_VFIO_DEVICE_CDEV.
 */
public final class Iommufd {
    private static final int TYPE = ';';
    private static final int BASE = 0x80;
    private static final int VFIO_BASE = 100;

    /** Frees an object. */
    public static final Ioctl IOMMU_DESTROY = io("IOMMU_DESTROY", TYPE, BASE);
    /** Makes an I/O address space. */
    public static final Ioctl IOMMU_IOAS_ALLOC = io("IOMMU_IOAS_ALLOC", TYPE, BASE + 1);
    /** Which I/O virtual addresses may be used; EMSGSIZE if there are more ranges than asked for. */
    public static final Ioctl IOMMU_IOAS_IOVA_RANGES = io("IOMMU_IOAS_IOVA_RANGES", TYPE, BASE + 4);
    /** Maps memory for DMA. */
    public static final Ioctl IOMMU_IOAS_MAP = io("IOMMU_IOAS_MAP", TYPE, BASE + 5);
    /** Unmaps memory. */
    public static final Ioctl IOMMU_IOAS_UNMAP = io("IOMMU_IOAS_UNMAP", TYPE, BASE + 6);

    /** Argument of {@link #IOMMU_DESTROY}. */
    public static final Struct DESTROY = Struct.of("iommu_destroy", u32("size"), u32("id"));
    /** Argument of {@link #IOMMU_IOAS_ALLOC}. */
    public static final Struct IOAS_ALLOC =
            Struct.of("iommu_ioas_alloc", u32("size"), u32("flags"), u32("out_ioas_id"));
    /** One range of I/O virtual addresses, both ends included. */
    public static final Struct IOVA_RANGE = Struct.of("iommu_iova_range", u64("start"), u64("last"));
    /** Argument of {@link #IOMMU_IOAS_IOVA_RANGES}. */
    public static final Struct IOAS_IOVA_RANGES = Struct.of(
            "iommu_ioas_iova_ranges",
            u32("size"),
            u32("ioas_id"),
            u32("num_iovas"),
            u32("__reserved"),
            u64("allowed_iovas"),
            u64("out_iova_alignment"));
    /** Argument of {@link #IOMMU_IOAS_MAP}. */
    public static final Struct IOAS_MAP = Struct.of(
            "iommu_ioas_map",
            u32("size"),
            u32("flags"),
            u32("ioas_id"),
            u32("__reserved"),
            u64("user_va"),
            u64("length"),
            u64("iova"));
    /** Map: at the address given, not one that the kernel chooses. */
    public static final int IOMMU_IOAS_MAP_FIXED_IOVA = 1;
    /** Map: the device may write. */
    public static final int IOMMU_IOAS_MAP_WRITEABLE = 2;
    /** Map: the device may read. */
    public static final int IOMMU_IOAS_MAP_READABLE = 4;
    /** Argument of {@link #IOMMU_IOAS_UNMAP}. */
    public static final Struct IOAS_UNMAP =
            Struct.of("iommu_ioas_unmap", u32("size"), u32("ioas_id"), u64("iova"), u64("length"));

    /** Ties a device's descriptor to a {@code /dev/iommu}; before that it answers nothing else. */
    public static final Ioctl VFIO_DEVICE_BIND_IOMMUFD = io("VFIO_DEVICE_BIND_IOMMUFD", TYPE, VFIO_BASE + 18);
    /** Puts a device into an I/O address space. */
    public static final Ioctl VFIO_DEVICE_ATTACH_IOMMUFD_PT = io("VFIO_DEVICE_ATTACH_IOMMUFD_PT", TYPE, VFIO_BASE + 19);
    /** Argument of {@link #VFIO_DEVICE_BIND_IOMMUFD}. */
    public static final Struct DEVICE_BIND =
            Struct.of("vfio_device_bind_iommufd", u32("argsz"), u32("flags"), u32("iommufd"), u32("out_devid"));
    /** Argument of {@link #VFIO_DEVICE_ATTACH_IOMMUFD_PT}. */
    public static final Struct DEVICE_ATTACH =
            Struct.of("vfio_device_attach_iommufd_pt", u32("argsz"), u32("flags"), u32("pt_id"));

    private Iommufd() {}
}
