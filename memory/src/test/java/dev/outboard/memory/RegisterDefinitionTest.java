package dev.outboard.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.outboard.memory.Register.Access;
import java.util.List;
import org.junit.jupiter.api.Test;

class RegisterDefinitionTest {
    private static final List<Field> FIELDS = List.of(
            Field.bit("LOWEST", 0),
            Field.bit("HIGHEST", 63),
            Field.bits("LOW", 15, 0),
            Field.bits("MIDDLE", 39, 20),
            Field.bits("HIGH", 63, 32),
            Field.bits("ALL", 63, 0));

    @Test
    void whatIsSetIsWhatIsGotAndTheRestStays() {
        for (Field field : FIELDS) {
            long largest = -1L >>> (64 - field.widthBits());
            for (long word : new long[] {0, -1, 0x5555_5555_5555_5555L}) {
                for (long value : new long[] {0, 1, largest, largest >>> 1}) {
                    long changed = field.set(word, value);
                    assertThat(field.get(changed)).as(field.name()).isEqualTo(value);
                    assertThat(changed & ~field.mask()).as(field.name()).isEqualTo(word & ~field.mask());
                    assertThat(field.isSet(changed)).as(field.name()).isEqualTo(value != 0);
                    assertThat(field.of(value) & ~field.mask()).isZero();
                }
            }
        }
    }

    @Test
    void aMaskHasOnesWhereTheFieldIs() {
        assertThat(Field.bit("B", 63).mask()).isEqualTo(Long.MIN_VALUE);
        assertThat(Field.bits("F", 15, 8).mask()).isEqualTo(0xff00);
        assertThat(Field.bits("ALL", 63, 0).mask()).isEqualTo(-1);
    }

    @Test
    void aValueThatDoesNotFitIsRefused() {
        Field field = Field.bits("MQES", 15, 4);
        for (long tooLarge : new long[] {0x1000, -1, Long.MIN_VALUE}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> field.set(0, tooLarge))
                    .withMessageContaining("12 bits of MQES");
        }
        assertThat(Field.bits("ALL", 63, 0).of(-1)).isEqualTo(-1);
    }

    @Test
    void aFieldOutsideOfAWordIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Field.bit("F", 64));
        assertThatIllegalArgumentException().isThrownBy(() -> Field.bit("F", -1));
        assertThatIllegalArgumentException().isThrownBy(() -> Field.bits("F", 64, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> Field.bits("F", 3, 4));
        assertThatIllegalArgumentException().isThrownBy(() -> new Field("F", Integer.MAX_VALUE, 1));
    }

    @Test
    void aRegisterOfAnotherWidthOrWithAFieldThatDoesNotFitIsRefused() {
        for (int width : new int[] {0, 4, 24, 65, 128, -8}) {
            assertThatIllegalArgumentException().isThrownBy(() -> Register.of("R", 0, width, Access.READ_ONLY, "1"));
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Register.of("CSTS", 0, 32, Access.READ_ONLY, "1", Field.bits("F", 32, 30)))
                .withMessageContaining("CSTS.F");
    }

    @Test
    void aRegisterElsewhereIsTheSameButForItsOffset() {
        Register register = Register.of("SQ0TDBL", 0x1000, 32, Access.WRITE_ONLY, "3.1.4", Field.bits("SQT", 15, 0));
        Register other = register.at(0x1008);
        assertThat(other.offset()).isEqualTo(0x1008);
        assertThat(other.at(0x1000)).isEqualTo(register);
    }
}
