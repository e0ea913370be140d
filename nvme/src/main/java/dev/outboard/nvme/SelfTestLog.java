package dev.outboard.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.LogPage;
import dev.outboard.specs.nvme.Maintenance;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Device self-tests. NVMe base specification 2.0, 5.16.1.7.
 *
 * @param running the test that is going on, {@link Maintenance#SHORT_TEST} or {@link Maintenance#EXTENDED_TEST}; 0 if none
 * @param percent how much of it is done
 * @param results how the last tests ended, the newest first
 */
public record SelfTestLog(int running, int percent, List<Result> results) {
    static final long SIZE_BYTES =
            LogPage.SELF_TEST_HEAD.byteSize() + LogPage.SELF_TEST_RESULTS * LogPage.SELF_TEST_RESULT.byteSize();

    private static final int LOW_NIBBLE = 0xf;
    private static final int NIBBLE_BITS = 4;
    private static final int PERCENT_MASK = 0x7f;

    /**
     * How a test ended.
     *
     * @param data all that it says, {@link LogPage#SELF_TEST_RESULT}
     */
    public record Result(StructView data) {
        /**
         * How it ended.
         *
         * @return {@link Maintenance#TEST_PASSED} or another of its kind
         */
        public int outcome() {
            return data.getInt("dsts") & LOW_NIBBLE;
        }

        /**
         * Which test it was.
         *
         * @return {@link Maintenance#SHORT_TEST}, {@link Maintenance#EXTENDED_TEST} or a vendor's
         */
        public int test() {
            return data.getInt("dsts") >>> NIBBLE_BITS;
        }
    }

    static SelfTestLog of(MemorySegment data) {
        StructView head = LogPage.SELF_TEST_HEAD.view(data);
        List<Result> results = new ArrayList<>();
        for (int i = 0; i < LogPage.SELF_TEST_RESULTS; i++) {
            long at = LogPage.SELF_TEST_HEAD.byteSize() + i * LogPage.SELF_TEST_RESULT.byteSize();
            Result result = new Result(LogPage.SELF_TEST_RESULT.view(data.asSlice(at)));
            if (result.outcome() != Maintenance.TEST_UNUSED) {
                results.add(result);
            }
        }
        return new SelfTestLog(
                head.getInt("crnt_dev_selftest_oprn") & LOW_NIBBLE,
                head.getInt("crnt_dev_selftest_compln") & PERCENT_MASK,
                List.copyOf(results));
    }
}
