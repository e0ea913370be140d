package dev.outboard.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LockedMemoryTest {
    private final LinuxException full = new LinuxException("mlock", "memory", Errno.ENOMEM);
    private static final String LIMITS = """
            Limit                     Soft Limit           Hard Limit           Units
            Max processes             94384                94384                processes
            Max locked memory         8388608              unlimited            bytes
            Max address space         unlimited            unlimited            bytes
            """;
    private static final String STATUS = "Name:\tjava\nVmLck:\t    4096 kB\nVmPin:\t    2048 kB\nVmHWM:\t 50000 kB\n";

    @Test
    void theLimitIsNamedWithWhatIsLockedAndWhatWasWanted() {
        assertThat(LockedMemory.explain(full, 4 << 20, LIMITS, STATUS))
                .hasMessageContaining("mlock memory: ")
                .hasMessageContaining("(ENOMEM)")
                .hasMessageContaining("4194304 bytes more were to be locked than the 6291456 that are")
                .hasMessageContaining("the limit of locked memory is 8388608;")
                .hasMessageContaining("ulimit -l unlimited")
                .hasMessageContaining("LimitMEMLOCK=infinity");
    }

    @Test
    void aLimitThatIsNotReachedIsNotBlamed() {
        assertThat(LockedMemory.explain(full, 2 << 20, LIMITS, STATUS)).hasMessageContaining("memory is short");
        assertThat(LockedMemory.explain(full, 1L << 40, LIMITS.replace("8388608  ", "unlimited"), STATUS))
                .hasMessageContaining("(unlimited, ulimit -l) allows");
        assertThat(LockedMemory.explain(full, Long.MAX_VALUE, "", "")).hasMessageContaining("memory is short");
    }

    @Test
    void whatIsNoMatterOfMemoryIsLeftAsItIs() {
        LinuxException other = new LinuxException("mlock", "memory", Errno.EINVAL);
        assertThat(LockedMemory.explain(other, 1)).isSameAs(other);
        // The files of this very process can be read, too.
        assertThat(LockedMemory.explain(full, 1)).hasMessageContaining("1 bytes more");
    }
}
