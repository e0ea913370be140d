package dev.outboard.nvme;

import dev.outboard.linux.StructView;
import dev.outboard.specs.nvme.AsynchronousEvent;
import dev.outboard.specs.nvme.LogPage;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;

/**
 * A controller's health. NVMe base specification 2.0, 5.16.1.3.
 *
 * @param data all that it says, {@link LogPage#SMART_INFORMATION}
 */
public record SmartLog(StructView data) {
    /**
     * What is wrong.
     *
     * @return 0 if nothing is; else bits, such as {@link AsynchronousEvent#WARNING_TEMPERATURE}
     */
    public int criticalWarnings() {
        return data.getInt("critical_warning");
    }

    /**
     * The composite temperature.
     *
     * @return kelvin; 0 if the controller does not say
     */
    public int temperatureKelvin() {
        return data.getInt("temperature");
    }

    /**
     * What is left of the spare capacity.
     *
     * @return percent
     */
    public int availableSparePercent() {
        return data.getInt("avail_spare");
    }

    /**
     * What is used of the life that the vendor expects.
     *
     * @return percent; may be more than 100
     */
    public int percentageUsed() {
        return data.getInt("percent_used");
    }

    /**
     * A counter of 128 bits.
     *
     * @param field its name in {@link LogPage#SMART_INFORMATION}, for example {@code data_units_read}
     * @return its value
     */
    public BigInteger counter(String field) {
        MemorySegment bytes = data.slice(field);
        byte[] bigEndian = new byte[(int) bytes.byteSize()];
        for (int i = 0; i < bigEndian.length; i++) {
            bigEndian[bigEndian.length - 1 - i] = bytes.get(ValueLayout.JAVA_BYTE, i);
        }
        return new BigInteger(1, bigEndian);
    }

    /**
     * The temperature of one sensor.
     *
     * @param sensor its number, 1 to 8
     * @return kelvin; 0 if there is no such sensor
     */
    public int sensorKelvin(int sensor) {
        return Short.toUnsignedInt(
                data.slice("temp_sensor").get(ValueLayout.JAVA_SHORT_UNALIGNED, (sensor - 1L) * Short.BYTES));
    }
}
