package dev.outboard.cli.reg;

import dev.outboard.cli.JsonOption;
import dev.outboard.driver.DeviceException;
import dev.outboard.memory.RegisterMap;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;

/** What reading, writing, dumping and watching registers have in common, wherever they are. */
abstract class RegisterCommand implements Callable<Integer> {
    private final Place place;

    @Mixin
    private AccessOptions access = new AccessOptions();

    @Mixin
    private NamesOption names = new NamesOption();

    @Mixin
    private JsonOption output = new JsonOption();

    RegisterCommand(Place place) {
        this.place = place;
    }

    @Override
    public final Integer call() throws IOException, InterruptedException {
        place.check();
        Integer width = access.width();
        if (width != null) {
            place.checkWidth(width);
        }
        try {
            run(names.map());
        } catch (InternalError busError) {
            throw new DeviceException(
                    place.subject() + " does not answer (SIGBUS): it was removed, or does not decode its addresses",
                    busError);
        }
        return 0;
    }

    /** Does the work; the map is null without --names. */
    abstract void run(@Nullable RegisterMap map) throws IOException, InterruptedException;

    /** Whether the command makes sense without a register. */
    boolean registerIsOptional() {
        return false;
    }

    boolean takesValue() {
        return false;
    }

    final Place place() {
        return place;
    }

    final AccessOptions access() {
        return access;
    }

    final boolean json() {
        return output.json();
    }

    /** What a document starts with. */
    final Map<String, Object> document(OpenRegisters registers) {
        Map<String, Object> json = place.json();
        if (registers.owners() != null) {
            json.put("owners", registers.owners());
        }
        return json;
    }
}
