package dev.outboard.cli.nvme;

import dev.outboard.cli.Json;
import dev.outboard.linux.StructView;
import dev.outboard.nvme.ControllerIdentity;
import dev.outboard.nvme.NvmeNamespace;
import dev.outboard.specs.nvme.Identify;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Identify data as nvme-cli prints it in JSON: its field names, its choice of number or text. */
final class IdentifyJson {
    private static final Set<String> TEXT = Set.of("sn", "mn", "fr", "subnqn");
    private static final Set<String> HEXADECIMAL = Set.of("nguid");
    private static final int POWER_STATE_BYTES = 32;

    private IdentifyJson() {}

    static Map<String, Object> controller(ControllerIdentity identity) {
        Map<String, Object> json = Json.object();
        for (String field : Identify.CONTROLLER.fieldNames()) {
            if (field.equals("psd")) {
                json.put("psds", powerStates(identity.data()));
            } else if (field.equals("fguid")) {
                json.put(field, uuid(identity.data().slice(field)));
            } else if (TEXT.contains(field)) {
                json.put(field, identity.text(field));
            } else {
                putNumber(json, identity.data(), field);
            }
        }
        return json;
    }

    static Map<String, Object> namespace(NvmeNamespace namespace) {
        Map<String, Object> json = Json.object();
        json.put("nsid", namespace.id());
        StructView data = namespace.identity();
        for (String field : Identify.NAMESPACE.fieldNames()) {
            if (field.equals("lbaf")) {
                json.put("lbafs", formats(data));
            } else if (field.equals("eui64")) {
                json.put(field, HexFormat.of().toHexDigits(Long.reverseBytes(data.get(field))));
            } else if (HEXADECIMAL.contains(field)) {
                json.put(field, HexFormat.of().formatHex(data.slice(field).toArray(ValueLayout.JAVA_BYTE)));
            } else {
                putNumber(json, data, field);
            }
        }
        for (String field : Identify.NVM_NAMESPACE.fieldNames()) {
            if (field.equals("elbaf")) {
                json.put("elbafs", extendedFormats(namespace));
            } else {
                putNumber(json, namespace.nvmIdentity(), field);
            }
        }
        return json;
    }

    private static void putNumber(Map<String, Object> json, StructView data, String field) {
        if (!field.startsWith("rsvd") && !field.equals("vs")) {
            MemorySegment bytes = data.slice(field);
            json.put(
                    field,
                    bytes.byteSize() > Integer.BYTES || bytes.byteSize() == 3 ? unsigned(bytes) : data.get(field));
        }
    }

    /** A little-endian number of any width. */
    private static BigInteger unsigned(MemorySegment bytes) {
        byte[] bigEndian = new byte[(int) bytes.byteSize()];
        for (int i = 0; i < bigEndian.length; i++) {
            bigEndian[bigEndian.length - 1 - i] = bytes.get(ValueLayout.JAVA_BYTE, i);
        }
        return new BigInteger(1, bigEndian);
    }

    private static String uuid(MemorySegment bytes) {
        String hex = HexFormat.of().formatHex(bytes.toArray(ValueLayout.JAVA_BYTE));
        return hex.replaceFirst("(.{8})(.{4})(.{4})(.{4})(.{12})", "$1-$2-$3-$4-$5");
    }

    /** NVMe base specification 2.0, figure 276. */
    private static List<Object> powerStates(StructView data) {
        List<Object> states = new ArrayList<>();
        for (int i = 0; i <= Math.min(data.getInt("npss"), 31); i++) {
            MemorySegment state = data.slice("psd").asSlice((long) i * POWER_STATE_BYTES, POWER_STATE_BYTES);
            Map<String, Object> json = Json.object();
            json.put("max_power", state.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0) & 0xffff);
            json.put("flags", state.get(ValueLayout.JAVA_BYTE, 3) & 0xff);
            json.put("entry_lat", state.get(ValueLayout.JAVA_INT_UNALIGNED, 4) & 0xffff_ffffL);
            json.put("exit_lat", state.get(ValueLayout.JAVA_INT_UNALIGNED, 8) & 0xffff_ffffL);
            json.put("read_tput", state.get(ValueLayout.JAVA_BYTE, 12) & 0x1f);
            json.put("read_lat", state.get(ValueLayout.JAVA_BYTE, 13) & 0x1f);
            json.put("write_tput", state.get(ValueLayout.JAVA_BYTE, 14) & 0x1f);
            json.put("write_lat", state.get(ValueLayout.JAVA_BYTE, 15) & 0x1f);
            json.put("idle_power", state.get(ValueLayout.JAVA_SHORT_UNALIGNED, 16) & 0xffff);
            json.put("idle_scale", state.get(ValueLayout.JAVA_BYTE, 18) >> 6 & 3);
            json.put("active_power", state.get(ValueLayout.JAVA_SHORT_UNALIGNED, 20) & 0xffff);
            json.put("active_power_work", state.get(ValueLayout.JAVA_BYTE, 22) & 7);
            json.put("active_scale", state.get(ValueLayout.JAVA_BYTE, 22) >> 6 & 3);
            states.add(json);
        }
        return states;
    }

    private static List<Object> extendedFormats(NvmeNamespace namespace) {
        List<Object> formats = new ArrayList<>();
        MemorySegment table = namespace.nvmIdentity().slice("elbaf");
        for (int i = 0; i <= Math.min(namespace.identity().getInt("nlbaf"), 63); i++) {
            int format = table.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * Identify.EXTENDED_LBA_FORMAT_BYTES);
            Map<String, Object> json = Json.object();
            json.put("sts", Identify.EXTENDED_LBA_FORMAT_STS.get(format));
            json.put("pif", Identify.EXTENDED_LBA_FORMAT_PIF.get(format));
            formats.add(json);
        }
        return formats;
    }

    private static List<Object> formats(StructView data) {
        List<Object> formats = new ArrayList<>();
        MemorySegment table = data.slice("lbaf");
        for (int i = 0; i <= Math.min(data.getInt("nlbaf"), 63); i++) {
            int format = table.get(ValueLayout.JAVA_INT_UNALIGNED, (long) i * Identify.LBA_FORMAT_BYTES);
            Map<String, Object> json = Json.object();
            json.put("ms", Identify.LBA_FORMAT_MS.get(format));
            json.put("ds", Identify.LBA_FORMAT_LBADS.get(format));
            json.put("rp", Identify.LBA_FORMAT_RP.get(format));
            formats.add(json);
        }
        return formats;
    }
}
