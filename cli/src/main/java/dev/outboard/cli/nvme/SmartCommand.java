package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.cli.JsonOption;
import dev.outboard.driver.DeviceException;
import dev.outboard.nvme.NamespaceManagement;
import dev.outboard.nvme.NvmeController;
import dev.outboard.nvme.SmartLog;
import java.io.IOException;
import java.math.BigInteger;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code outboard nvme smart}. */
@Command(
        name = "smart",
        aliases = "smart-log",
        description =
                "The controller's health; with --namespace that of one, where the controller knows it. With --json under"
                        + " nvme-cli's field names.")
final class SmartCommand implements Callable<Integer> {
    private static final int KELVIN_AT_ZERO_CELSIUS = 273;
    private static final int SENSORS = 8;
    /** LPA, bit 0. NVMe base specification 2.0, figure 275. */
    private static final int SMART_OF_NAMESPACES = 1;
    /** A data unit is a thousand times 512 bytes. */
    private static final BigInteger UNITS_A_GIGABYTE = BigInteger.valueOf(1953);

    @Mixin
    private DeviceOptions device = new DeviceOptions();

    @Mixin
    private JsonOption output = new JsonOption();

    @Override
    public Integer call() throws IOException {
        try (NvmeController controller = device.open()) {
            SmartLog smart = controller.admin().logs().smart(namespaceId(controller));
            if (output.json()) {
                Json.print(System.out, json(smart));
            } else {
                print(smart);
            }
        }
        return 0;
    }

    private int namespaceId(NvmeController controller) throws DeviceException {
        int id = device.namespaceIdOr(NamespaceManagement.ALL);
        if (id == NamespaceManagement.ALL) {
            return id;
        }
        if ((controller.identity().data().get("lpa") & SMART_OF_NAMESPACES) == 0) {
            throw new DeviceException(controller.address()
                    + " knows the health of the whole controller only (LPA); leave --namespace away");
        }
        return device.namespace(controller).id();
    }

    private static Map<String, Object> json(SmartLog smart) {
        Map<String, Object> json = Json.object();
        json.put("critical_warning", smart.criticalWarnings());
        json.put("temperature", smart.temperatureKelvin());
        json.put("avail_spare", smart.availableSparePercent());
        json.put("spare_thresh", smart.data().get("spare_thresh"));
        json.put("percent_used", smart.percentageUsed());
        json.put("endurance_grp_critical_warning_summary", smart.data().get("endu_grp_crit_warn_sumry"));
        json.put("data_units_read", smart.counter("data_units_read"));
        json.put("data_units_written", smart.counter("data_units_written"));
        json.put("host_read_commands", smart.counter("host_reads"));
        json.put("host_write_commands", smart.counter("host_writes"));
        json.put("controller_busy_time", smart.counter("ctrl_busy_time"));
        json.put("power_cycles", smart.counter("power_cycles"));
        json.put("power_on_hours", smart.counter("power_on_hours"));
        json.put("unsafe_shutdowns", smart.counter("unsafe_shutdowns"));
        json.put("media_errors", smart.counter("media_errors"));
        json.put("num_err_log_entries", smart.counter("num_err_log_entries"));
        json.put("warning_temp_time", smart.data().get("warning_temp_time"));
        json.put("critical_comp_time", smart.data().get("critical_comp_time"));
        for (int sensor = 1; sensor <= SENSORS; sensor++) {
            if (smart.sensorKelvin(sensor) != 0) {
                json.put("temperature_sensor_" + sensor, smart.sensorKelvin(sensor));
            }
        }
        json.put("thm_temp1_trans_count", smart.data().get("thm_temp1_trans_count"));
        json.put("thm_temp2_trans_count", smart.data().get("thm_temp2_trans_count"));
        json.put("thm_temp1_total_time", smart.data().get("thm_temp1_total_time"));
        json.put("thm_temp2_total_time", smart.data().get("thm_temp2_total_time"));
        return json;
    }

    private static void print(SmartLog smart) {
        System.out.printf(
                "warnings         %s%n",
                smart.criticalWarnings() == 0 ? "none" : String.format("0x%02x", smart.criticalWarnings()));
        System.out.printf("temperature      %d °C%n", smart.temperatureKelvin() - KELVIN_AT_ZERO_CELSIUS);
        System.out.printf(
                "spare            %d %%, warns below %d %%%n",
                smart.availableSparePercent(), smart.data().get("spare_thresh"));
        System.out.printf("life used        %d %%%n", smart.percentageUsed());
        System.out.printf("read             %s%n", amount(smart, "data_units_read", "host_reads"));
        System.out.printf("written          %s%n", amount(smart, "data_units_written", "host_writes"));
        System.out.printf(
                "powered          %d hours, %d times; %d unsafe shutdowns%n",
                smart.counter("power_on_hours"), smart.counter("power_cycles"), smart.counter("unsafe_shutdowns"));
        System.out.printf(
                "errors           %d of the media, %d in the error log%n",
                smart.counter("media_errors"), smart.counter("num_err_log_entries"));
    }

    private static String amount(SmartLog smart, String units, String commands) {
        return String.format(
                "%,d GB by %,d commands", smart.counter(units).divide(UNITS_A_GIGABYTE), smart.counter(commands));
    }
}
