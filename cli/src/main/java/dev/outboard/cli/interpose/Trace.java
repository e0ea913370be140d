package dev.outboard.cli.interpose;

import dev.outboard.cli.Json;
import dev.outboard.emulation.interpose.DmaStore;
import dev.outboard.emulation.interpose.NvmeTraffic;
import dev.outboard.emulation.interpose.Region;
import dev.outboard.emulation.recording.RecordedEvent;
import dev.outboard.memory.DecodedRegister;
import dev.outboard.memory.Register;
import dev.outboard.memory.RegisterMap;
import dev.outboard.specs.nvme.NvmeRegisters;
import dev.outboard.specs.nvme.Status;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Makes lines of what was recorded, with the names of registers, and for NVMe with commands and completions. */
final class Trace {
    /** So much of a store a line shows. */
    private static final int SHOWN_BYTES = 16;

    private final Map<Region, RegisterMap> names;
    private final boolean decodesNvme;
    private final NvmeTraffic nvme = new NvmeTraffic();
    private final List<TraceLine> lines = new ArrayList<>();
    private long nanos;

    Trace(Map<Region, RegisterMap> names) {
        this.names = names;
        decodesNvme = NvmeRegisters.ALL.equals(names.get(Region.BAR0));
    }

    /** The lines of one event: its own, then what it means. */
    List<TraceLine> lines(long eventNanos, RecordedEvent event) {
        nanos = eventNanos;
        lines.clear();
        switch (event) {
            case RecordedEvent.Read read -> {
                access("read", read.region(), read.offset(), read.widthBytes(), read.value(), read.count());
                nvme.read(read.region(), read.offset(), read.value());
            }
            case RecordedEvent.Write write -> {
                access("write", write.region(), write.offset(), write.widthBytes(), write.value(), 1);
                nvme.write(write.region(), write.offset(), write.widthBytes(), write.value())
                        .forEach(this::command);
            }
            case RecordedEvent.Allocated(long address, long size) -> {
                nvme.allocated(address, size);
                other(event);
            }
            case RecordedEvent.ToDevice(DmaStore store) -> {
                store("to-device", store);
                nvme.toDevice(List.of(store));
            }
            case RecordedEvent.ToDriver(DmaStore store) -> {
                store("to-driver", store);
                nvme.toDriver(List.of(store)).forEach(this::completion);
            }
            default -> other(event);
        }
        return List.copyOf(lines);
    }

    private void add(String kind, String text, Map<String, Object> details) {
        lines.add(new TraceLine(nanos, kind, text, details));
    }

    private void access(String kind, Region region, long offset, int widthBytes, long value, long count) {
        int widthBits = widthBytes * Byte.SIZE;
        Map<String, Object> json = Json.object();
        json.put("region", region.toString());
        json.put("offset", offset);
        json.put("widthBits", widthBits);
        json.put("value", DecodedRegister.digits(value, widthBits));
        json.put("count", count);
        String place = "0x" + Long.toHexString(offset);
        String meaning = "";
        RegisterMap map = names.get(region);
        Register register = map == null
                ? null
                : map.at(offset).filter(found -> found.widthBits() == widthBits).orElse(null);
        if (register != null) {
            DecodedRegister decoded = register.decode(value);
            place = register.name();
            meaning = decoded.fields().stream()
                    .filter(field -> field.value() != 0)
                    .map(field -> " " + field)
                    .collect(Collectors.joining());
            json.put("name", register.name());
            json.put("fields", decoded.json().get("fields"));
        }
        String times = count == 1 ? "" : " (" + count + " times)";
        add(kind, region + " " + place + " = " + DecodedRegister.digits(value, widthBits) + meaning + times, json);
    }

    private void store(String kind, DmaStore store) {
        String bytes = HexFormat.of().formatHex(store.bytes());
        Map<String, Object> json = Json.object();
        json.put("deviceAddress", "0x" + Long.toHexString(store.deviceAddress()));
        json.put("bytes", bytes);
        boolean isLong = store.bytes().length > SHOWN_BYTES;
        add(kind, store + ": " + (isLong ? bytes.substring(0, 2 * SHOWN_BYTES) + "…" : bytes), json);
    }

    private void command(NvmeTraffic.Command command) {
        if (decodesNvme) {
            Map<String, Object> json = Json.object();
            json.put("queue", command.queue());
            json.put("name", command.name());
            json.put("opcode", command.opcode());
            json.put("commandId", command.commandId());
            json.put("namespace", command.namespaceId());
            json.put("dwords10And11", "0x" + Long.toHexString(command.dwords10And11()));
            json.put("dword12", "0x" + Integer.toHexString(command.dword12()));
            String text = String.format(
                    "queue %d %s, id 0x%x, namespace %d, dwords 0x%x 0x%x",
                    command.queue(),
                    command.name(),
                    command.commandId(),
                    command.namespaceId(),
                    command.dwords10And11(),
                    command.dword12());
            add("command", text, json);
        }
    }

    private void completion(NvmeTraffic.Completion completion) {
        if (decodesNvme) {
            Map<String, Object> json = Json.object();
            json.put("queue", completion.queue());
            json.put("name", completion.name());
            json.put("commandId", completion.commandId());
            json.put("status", "0x" + Integer.toHexString(completion.status()));
            String text = String.format(
                    "queue %d %s, id 0x%x: %s",
                    completion.queue(),
                    completion.name(),
                    completion.commandId(),
                    completion.status() == 0 ? "success" : Status.describe(completion.status()));
            add("completion", text, json);
        }
    }

    private void other(RecordedEvent event) {
        String text = event.toString();
        int space = text.indexOf(' ');
        String rest = space < 0 ? "" : text.substring(space + 1);
        Map<String, Object> json = Json.object();
        json.put("value", rest);
        add(space < 0 ? text : text.substring(0, space), rest, json);
    }
}
