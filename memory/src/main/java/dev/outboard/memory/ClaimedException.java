package dev.outboard.memory;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Somebody else has claimed what was to be claimed. The message says who, since when, and what to do. */
public final class ClaimedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient @Nullable ClaimRecord holder;

    /**
     * A claim that was refused.
     *
     * @param target what was to be claimed
     * @param holder who has it, or something of it; null if the owner did not say
     * @param directory where the claims are, for whoever must find out
     */
    ClaimedException(ClaimTarget target, @Nullable ClaimRecord holder, String directory) {
        super(message(target, holder, directory));
        this.holder = holder;
    }

    private static String message(ClaimTarget target, @Nullable ClaimRecord holder, String directory) {
        if (holder == null) {
            return target + " is claimed by a process that did not say who it is; lslocks and fuser -v " + directory
                    + "/* show who has the locks";
        }
        ClaimOwner owner = holder.owner();
        String what = holder.target().equals(target) ? "" : ", which has " + holder.target();
        String advice = owner.pid() == ProcessHandle.current().pid()
                ? "that is this process: close it there first"
                : "close it there, or end that process: kill " + owner.pid();
        return target + " is in use by " + owner + what + "; " + advice;
    }

    /**
     * Who has it.
     *
     * @return what the owner claimed; empty if the owner did not say
     */
    public Optional<ClaimRecord> holder() {
        return Optional.ofNullable(holder);
    }
}
