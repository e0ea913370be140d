package dev.outboard.linux.uapi;

import dev.outboard.linux.Ioctl;

/** What {@code <linux/perf_event.h>} defines, as far as it is used here. */
public final class PerfEvents {
    /** {@code PERF_TYPE_SOFTWARE}: events of the kernel, no hardware counter needed. */
    public static final int PERF_TYPE_SOFTWARE = 1;
    /** {@code PERF_COUNT_SW_CPU_CLOCK}: a timer for each CPU; the period is in nanoseconds. */
    public static final int PERF_COUNT_SW_CPU_CLOCK = 0;
    /** {@code PERF_COUNT_SW_DUMMY}: counts nothing, carries records about mappings, names, threads, switches. */
    public static final int PERF_COUNT_SW_DUMMY = 9;

    /** {@code PERF_SAMPLE_IP}: samples say where the program was. */
    public static final int PERF_SAMPLE_IP = 1;
    /** {@code PERF_SAMPLE_TID}: samples say which process and thread it was. */
    public static final int PERF_SAMPLE_TID = 2;
    /** {@code PERF_SAMPLE_TIME}: samples say when. */
    public static final int PERF_SAMPLE_TIME = 4;

    /** {@code PERF_RECORD_MMAP}: executable memory was mapped. */
    public static final int PERF_RECORD_MMAP = 1;
    /** {@code PERF_RECORD_LOST}: records were lost: u64 id, u64 count. */
    public static final int PERF_RECORD_LOST = 2;
    /** {@code PERF_RECORD_COMM}: a thread has a new name: u32 pid, u32 tid, the name. */
    public static final int PERF_RECORD_COMM = 3;
    /** {@code PERF_RECORD_EXIT}: a thread ended. */
    public static final int PERF_RECORD_EXIT = 4;
    /** {@code PERF_RECORD_FORK}: a thread began. */
    public static final int PERF_RECORD_FORK = 7;
    /** {@code PERF_RECORD_SAMPLE}: a sample, of what {@code sample_type} asks for. */
    public static final int PERF_RECORD_SAMPLE = 9;
    /** {@code PERF_RECORD_SWITCH}: the thread went on or off a processor. */
    public static final int PERF_RECORD_SWITCH = 14;

    /** {@code PERF_FLAG_FD_CLOEXEC}. */
    public static final int PERF_FLAG_FD_CLOEXEC = 8;
    /** {@code PERF_ATTR_SIZE_VER0}: the size of the attributes that every kernel knows. */
    public static final int PERF_ATTR_SIZE_VER0 = 64;

    /** Offset of {@code perf_event_attr.type}, 32 bits. */
    public static final int ATTR_TYPE = 0;
    /** Offset of {@code perf_event_attr.size}, 32 bits. */
    public static final int ATTR_SIZE = 4;
    /** Offset of {@code perf_event_attr.config}, 64 bits. */
    public static final int ATTR_CONFIG = 8;
    /** Offset of {@code perf_event_attr.sample_period}, 64 bits. */
    public static final int ATTR_SAMPLE_PERIOD = 16;
    /** Offset of {@code perf_event_attr.sample_type}, 64 bits. */
    public static final int ATTR_SAMPLE_TYPE = 24;
    /** Offset of the bit-fields of {@code perf_event_attr}, 64 bits: the {@code FLAG_} constants. */
    public static final int ATTR_FLAGS = 40;
    /** Offset of {@code perf_event_attr.wakeup_events}, 32 bits: a waiter is woken for so many samples. */
    public static final int ATTR_WAKEUP = 48;

    /** {@code perf_event_attr.disabled}: the event waits to be enabled. */
    public static final long FLAG_DISABLED = 1;
    /** {@code perf_event_attr.exclude_kernel}. */
    public static final long FLAG_EXCLUDE_KERNEL = 1 << 5;
    /** {@code perf_event_attr.exclude_hv}. */
    public static final long FLAG_EXCLUDE_HV = 1 << 6;
    /** {@code perf_event_attr.mmap}: records of executable mappings. */
    public static final long FLAG_MMAP = 1 << 8;
    /** {@code perf_event_attr.comm}: records of names. */
    public static final long FLAG_COMM = 1 << 9;
    /** {@code perf_event_attr.task}: records of threads that begin and end. */
    public static final long FLAG_TASK = 1 << 13;
    /** {@code perf_event_attr.context_switch}: records of switches. */
    public static final long FLAG_CONTEXT_SWITCH = 1 << 26;

    /** Offset of {@code perf_event_mmap_page.data_head}: where the kernel writes next, 64 bits. */
    public static final int PAGE_DATA_HEAD = 1024;
    /** Offset of {@code perf_event_mmap_page.data_tail}: where the reader reads next, 64 bits. */
    public static final int PAGE_DATA_TAIL = 1032;
    /** Offset of {@code perf_event_mmap_page.data_offset}, 64 bits. */
    public static final int PAGE_DATA_OFFSET = 1040;
    /** Offset of {@code perf_event_mmap_page.data_size}, 64 bits. */
    public static final int PAGE_DATA_SIZE = 1048;

    /** The size of {@code struct perf_event_header}. */
    public static final int HEADER_BYTES = 8;
    /** Offset of {@code perf_event_header.misc}, 16 bits. */
    public static final int HEADER_MISC = 4;
    /** Offset of {@code perf_event_header.size}, 16 bits. */
    public static final int HEADER_SIZE = 6;

    /** {@code PERF_EVENT_IOC_ENABLE}. */
    public static final Ioctl PERF_EVENT_IOC_ENABLE = Ioctl.io("PERF_EVENT_IOC_ENABLE", '$', 0);
    /** {@code PERF_EVENT_IOC_DISABLE}. */
    public static final Ioctl PERF_EVENT_IOC_DISABLE = Ioctl.io("PERF_EVENT_IOC_DISABLE", '$', 1);

    private PerfEvents() {}
}
