package dev.outboard.emulation.idio;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * What a model of a 16-line digital I/O card shall be.
 *
 * @param wiring what its lines are connected to
 * @param terminals a file that other programs set the inputs in and read the outputs from; null for memory
 */
public record Idio16Options(Wiring wiring, @Nullable Path terminals) {
    /** What the lines are connected to. */
    public enum Wiring {
        /** Each output to the input of the same number, besides what the world drives there. */
        LOOPBACK,
        /** To nothing but the world. */
        OPEN
    }

    /** Outputs wired to inputs. */
    public static final Idio16Options DEFAULT = new Idio16Options(Wiring.LOOPBACK, null);
}
