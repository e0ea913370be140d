package dev.outboard.linux;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The same comparison with the headers that {@code rig} unpacks, of a kernel that has all that this room knows. */
@Tag("rig")
class AbiOfNewerHeadersTest extends AbiProbeTest {
    @BeforeAll
    static void newerHeadersAreHere() {
        assumeFalse(CProbe.INCLUDES.isEmpty(), "no newer kernel headers: rig's KernelTests fetches them");
    }
}
