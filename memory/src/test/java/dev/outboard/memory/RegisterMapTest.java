package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.memory.Register.Access;
import org.junit.jupiter.api.Test;

class RegisterMapTest {
    private static final Register ID = Register.of("ID", 0, 16, Access.READ_ONLY, "1");
    private static final Register DATA = Register.of("DATA", 8, 64, Access.READ_WRITE, "2");
    private static final Register CHANNEL = Register.of("CHANNEL", 0x20, 32, Access.READ_WRITE, "3");
    private static final RegisterMap MAP =
            RegisterMap.of("device", DATA, ID).with(new RegisterArray("CH%s_CTRL", CHANNEL, 3, 8));

    @Test
    void aRegisterIsFoundByItsNameAndItsOffset() {
        assertThat(MAP.get("DATA")).isEqualTo(DATA);
        assertThat(MAP.get("data")).isEqualTo(DATA);
        assertThat(MAP.at(0)).contains(ID);
        assertThat(MAP.at(1)).isEmpty();
        assertThat(MAP.get("CH2_CTRL").offset()).isEqualTo(0x30);
        assertThat(MAP).extracting(Register::name).containsExactly("ID", "DATA", "CH0_CTRL", "CH1_CTRL", "CH2_CTRL");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> MAP.get("NOTHING"))
                .withMessageContaining("NOTHING")
                .withMessageContaining("CH0_CTRL");
    }

    @Test
    void anAccessTouchesTheRegistersThatItOverlaps() {
        assertThat(MAP.touchedBy(0, 4)).containsExactly(ID);
        assertThat(MAP.touchedBy(2, 6)).isEmpty();
        assertThat(MAP.touchedBy(12, 4)).containsExactly(DATA);
        assertThat(MAP.touchedBy(0, Long.MAX_VALUE)).hasSize(5);
        assertThat(MAP.shiftedBy(0x1000).get("ID").offset()).isEqualTo(0x1000);
    }

    @Test
    void aMapThatMakesNoSenseIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> RegisterMap.of("m", ID, ID.at(4)));
        assertThatIllegalArgumentException().isThrownBy(() -> RegisterMap.of("m", ID.at(-2)));
        assertThatIllegalArgumentException().isThrownBy(() -> RegisterMap.of("m", ID.at(Long.MAX_VALUE)));
        assertThatExceptionOfType(ArithmeticException.class).isThrownBy(() -> MAP.shiftedBy(Long.MAX_VALUE));
    }

    @Test
    void anElementOfAnArrayIsWhereItsIndexSays() {
        RegisterArray array = new RegisterArray("R", CHANNEL, 4, 16);
        assertThat(array.at(3).offset()).isEqualTo(0x50);
        assertThat(array.registers()).extracting(Register::name).containsExactly("R0", "R1", "R2", "R3");
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> array.at(4));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> array.at(-1));
    }

    @Test
    void anArrayThatMakesNoSenseIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterArray("R", CHANNEL, 0, 4));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterArray("R", CHANNEL, 2, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterArray("R", CHANNEL, 2, 2));
        assertThatIllegalArgumentException().isThrownBy(() -> new RegisterArray("R", CHANNEL, 2, 6));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RegisterArray("R", CHANNEL, Integer.MAX_VALUE, Long.MAX_VALUE - 3));
    }

    @Test
    void everyRuleSaysWhatAToolMayDo() {
        for (Access access : Access.values()) {
            assertThat(access.isReadable() || access.isWritable())
                    .as(access.words())
                    .isTrue();
        }
        assertThat(Access.READ_TO_CLEAR.readChanges()).isTrue();
        assertThat(Access.READ_TO_CLEAR.isWritable()).isFalse();
        Field events = Field.bit("EVENT", 3).with(Access.READ_TO_CLEAR);
        assertThat(Register.of("R", 0, 8, Access.READ_ONLY, "1", events).readChanges())
                .isTrue();
    }
}
