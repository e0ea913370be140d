package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.memory.Register.Access;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RegisterModifyTest {
    private static final Field ENABLE = Field.bit("ENABLE", 0);
    private static final Field MODE = Field.bits("MODE", 6, 4).value(0, "IDLE").value(5, "FAST");
    private static final Field ERROR = Field.bit("ERROR", 8).with(Access.WRITE_1_TO_CLEAR);
    private static final Field LATCH = Field.bit("LATCH", 9).with(Access.WRITE_0_TO_SET);
    private static final Field START = Field.bit("START", 10).with(Access.WRITE_1_TO_SET);
    private static final Register CONTROL =
            Register.of("CONTROL", 0x10, 32, Access.READ_WRITE, "1.2", ENABLE, MODE, ERROR, LATCH, START);

    private final RecordingAccess device = new RecordingAccess();
    private final Registers registers = Registers.unmapped("bar0", 0x100, device, List.of(), () -> {});

    @Test
    void severalFieldsAreUpdatedInOneReadAndOneWrite() {
        registers.write(CONTROL, 0x8000_0001L);
        device.accesses().clear();
        assertThat(registers.modify(CONTROL, ENABLE.to(0).and(MODE.to(5)))).isEqualTo(0x8000_0250L);
        assertThat(device.accesses().stream().map(Object::toString)).containsExactly("read 0x10 4", "write 0x10 4");
        assertThat(registers.read(CONTROL)).isEqualTo(0x8000_0250L);
    }

    @Test
    void bitsThatWritingHasAnotherEffectOnAreLeftAlone() {
        registers.write(CONTROL, 0xffff_ffffL);
        // ERROR and START as zero, LATCH as one: that does nothing to them.
        assertThat(registers.modify(CONTROL, ENABLE, 0)).isEqualTo(0xffff_fafeL);
        assertThat(registers.modify(CONTROL, ERROR, 1) & ERROR.mask()).isEqualTo(ERROR.mask());
        Register pending = Register.of("PENDING", 0x20, 32, Access.WRITE_1_TO_CLEAR, "1.3", ENABLE);
        registers.write(pending, 0xff);
        assertThat(registers.modify(pending, ENABLE, 1)).isEqualTo(1);
    }

    @Test
    void aRegisterThatCannotBeReadAndWrittenIsRefusedAndNotTouched() {
        for (Access access :
                List.of(Access.READ_ONLY, Access.WRITE_ONLY, Access.READ_TO_CLEAR, Access.READ_HAS_EFFECT)) {
            Register register = Register.of("R", 0, 32, access, "1", ENABLE);
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> registers.modify(register, ENABLE, 1))
                    .withMessageContaining(access.words());
        }
        assertThat(device.accesses()).isEmpty();
    }

    @Test
    void anUpdateThatMakesNoSenseIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> MODE.to(8)).withMessageContaining("MODE");
        assertThatIllegalArgumentException().isThrownBy(() -> MODE.to(-1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MODE.to(1).and(MODE.to(2)))
                .withMessageContaining("twice");
        assertThatIllegalArgumentException().isThrownBy(() -> new FieldUpdate(1, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> new Register.WriteBack(1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> MODE.value(8, "LARGE"));
        assertThatIllegalArgumentException().isThrownBy(() -> MODE.value(5, "AGAIN"));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MODE.valueOf("SLOW"))
                .withMessageContaining("IDLE, FAST");
    }

    @Test
    void aWaitEndsWithTheValueThatWasWaitedFor() throws Exception {
        AtomicInteger reads = new AtomicInteger();
        Registers counting = Registers.unmapped(
                "bar0",
                0x100,
                new RegisterAccess() {
                    @Override
                    public long read(long offset, int widthBytes) {
                        return reads.incrementAndGet();
                    }

                    @Override
                    public void write(long offset, int widthBytes, long value) {}
                },
                List.of(),
                () -> {});
        assertThat(counting.pollUntil(CONTROL, value -> value == 100, Duration.ofDays(100_000_000)))
                .isEqualTo(100);
        assertThat(reads).hasValue(100);
    }

    @Test
    void aWaitThatIsOverSaysWhatTheRegisterWas() {
        registers.write(CONTROL, 0x50);
        device.accesses().clear();
        assertThatExceptionOfType(RegisterTimeoutException.class)
                .isThrownBy(() -> registers.pollUntil(CONTROL, ENABLE::isSet, Duration.ZERO))
                .withMessageContaining("CONTROL of bar0")
                .withMessageContaining("MODE=FAST")
                .satisfies(timeout -> assertThat(timeout.value()).isEqualTo(0x50));
        assertThat(device.accesses()).hasSize(1);
        assertThatExceptionOfType(RegisterTimeoutException.class)
                .isThrownBy(() -> registers.pollUntil(CONTROL, ENABLE::isSet, Duration.ofMillis(3)));
    }

    @Test
    void aWaitThatMakesNoSenseIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registers.pollUntil(CONTROL, value -> true, Duration.ofNanos(-1)));
        Register events = Register.of("EVENTS", 0, 32, Access.READ_TO_CLEAR, "1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> registers.pollUntil(events, value -> true, Duration.ZERO));
        assertThatIllegalArgumentException().isThrownBy(() -> registers.flushWrites(events));
        assertThat(device.accesses()).isEmpty();
    }

    @Test
    void writesAreFlushedByOneRead() {
        registers.flushWrites(CONTROL);
        assertThat(device.accesses().stream().map(Object::toString)).containsExactly("read 0x10 4");
    }

    @Test
    void aValueIsDecodedForPeopleAndForPrograms() {
        DecodedRegister decoded = CONTROL.decode(0xdead_0000_0000_0151L);
        assertThat(decoded.text().lines())
                .containsExactly(
                        "000010  CONTROL      0x00000151          read-write, 1.2",
                        "            0  ENABLE       1",
                        "          6:4  MODE         5  FAST",
                        "            8  ERROR        1",
                        "            9  LATCH        0",
                        "           10  START        0");
        assertThat(decoded.json())
                .containsEntry("name", "CONTROL")
                .containsEntry("offset", 0x10L)
                .containsEntry("access", "read-write")
                .containsEntry("section", "1.2")
                .containsEntry("value", "0x00000151");
        assertThat(decoded.json().get("fields").toString())
                .contains("{name=MODE, bits=6:4, value=0x5, meaning=FAST}")
                .contains("{name=ERROR, bits=8, value=0x1, access=write-1-to-clear}");
        assertThat(DecodedRegister.digits(-1, 64)).isEqualTo("0xffffffffffffffff");
        assertThat(DecodedRegister.digits(-1, 8)).isEqualTo("0xff");
    }
}
