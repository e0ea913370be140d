package dev.outboard.emulation;

import dev.outboard.linux.Errno;
import dev.outboard.linux.Struct;
import dev.outboard.linux.StructView;
import java.lang.foreign.MemorySegment;

/** What every command checks first: that its structure is there, and says that it is. */
final class Payload {
    private Payload() {}

    /** A structure that has no {@code argsz}; more may follow it. */
    static StructView view(Struct struct, MemorySegment payload) throws ErrorReply {
        if (payload.byteSize() < struct.byteSize()) {
            throw new ErrorReply(Errno.EINVAL);
        }
        return struct.view(payload);
    }

    /** A structure whose {@code argsz} says how large the reply may be: at least as large as the structure. */
    static StructView sized(Struct struct, MemorySegment payload) throws ErrorReply {
        StructView view = view(struct, payload);
        if (view.get("argsz") < struct.byteSize()) {
            throw new ErrorReply(Errno.EINVAL);
        }
        return view;
    }

    /** Answers with the structure that was asked with; returns its size. */
    static long echo(StructView request, Struct struct, MemorySegment reply) {
        MemorySegment.copy(request.segment(), 0, reply, 0, struct.byteSize());
        return struct.byteSize();
    }
}
