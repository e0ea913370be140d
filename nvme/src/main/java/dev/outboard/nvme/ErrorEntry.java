package dev.outboard.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Status;

/**
 * An entry of the error log. NVMe base specification 2.0, figure 206.
 *
 * @param data all that it says, {@link LogPage#ERROR_ENTRY}
 */
public record ErrorEntry(StructView data) {
    /**
     * Which error it is.
     *
     * @return the number of errors until then; 0 for an entry that is not used
     */
    public long count() {
        return data.get("error_count");
    }

    /**
     * How the command ended.
     *
     * @return the status, see {@link Status}
     */
    public int status() {
        return data.getInt("status_field") >>> 1;
    }

    /**
     * The phase bit that its completion had.
     *
     * @return 0 or 1
     */
    public int phase() {
        return data.getInt("status_field") & 1;
    }
}
