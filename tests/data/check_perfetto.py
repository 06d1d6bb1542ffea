#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_perfetto.py FILE.pftrace FILE.jsonl [--recorded]: checks that the trace has exactly the
events of the JSON lines.

--recorded: the snapshot was recorded, not made by data/make_snapshot.c, so only the events can be
checked.

The script has its own decoder, which uses Perfetto's public field numbers, and shares neither the
schema nor protobuf-c with the writer. Each interned number must be defined, the times of each
thread must be in order, text must be valid UTF-8, and each end of a slice must have a begin.
"""
import json
import math
import re
import struct
import subprocess
import sys

BOOT_OFFSET = 5_000_000_000  # of data/make_snapshot.c
SWITCH = {
    1: "prev_comm",
    2: "prev_pid",
    3: "prev_prio",
    4: "prev_state",
    5: "next_comm",
    6: "next_pid",
    7: "next_prio",
}
WAKING = {1: "comm", 2: "pid", 3: "prio", 5: "target_cpu"}
KNOWN = {
    4: ("sched_switch", SWITCH),
    20: ("sched_waking", WAKING),
    329: ("sys_enter", {1: "id", 2: "args"}),
    330: ("sys_exit", {1: "id", 2: "ret"}),
}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at


def fields(data):
    """Returns the top-level fields of a message: [(number, wire type, value)]"""
    at, found = 0, []
    while at < len(data):
        tag, at = varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = data[at : at + 8], at + 8
        elif kind == 5:
            value, at = data[at : at + 4], at + 4
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
            assert len(value) == size, "a field is cut"
        else:
            raise AssertionError(f"wire type {kind}")
        found.append((tag >> 3, kind, value))
    return found


def one(message, number, default=None):
    values = [value for n, _, value in message if n == number]
    assert len(values) <= 1, f"field {number} is there {len(values)} times"
    return values[0] if values else default


def every(message, number):
    return [value for n, _, value in message if n == number]


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def text(data):
    return data.decode("utf-8")  # raises an error if it is not UTF-8


def annotation_value(message):
    for number, _, value in message:
        if number == 2:
            return bool(value)
        if number == 3:
            return value
        if number == 4:
            return signed(value)
        if number == 5:
            return struct.unpack("<d", value)[0]
        if number == 6:
            return text(value)
        if number == 7:
            return hex(value)
    entries = every(message, 11)
    if entries:
        return {text(one(fields(e), 10)): annotation_value(fields(e)) for e in entries}
    return [annotation_value(fields(e)) for e in every(message, 12)]


class Trace:
    def __init__(self, data):
        # Interned names: those of the current packet's sequence, and those of each sequence.
        self.names, self.sequences = None, {}
        # By track: (name, parent, is a counter), and the slices that have no end yet.
        self.track_names, self.open = {}, {}
        self.counters, self.flows, self.logs, self.coverage = [], [], [], []
        self.samples, self.threads_at_death = {}, {}
        self.tracks, self.last = {}, {}
        self.events, self.clocks, self.clock_of, self.attributes = [], [], {}, {}
        self.triggers, self.crashes, self.processes, self.threads = [], [], {}, {}
        self.first = None
        self.running = {}  # thread to which the last switch led, by CPU
        for number, kind, packet in fields(data):
            assert (number, kind) == (1, 2), "not a packet"
            self.packet(fields(packet))

    def monotonic(self, boottime):
        """Converts a time of CLOCK_BOOTTIME to CLOCK_MONOTONIC with the last reading of both clocks
        before that time, or with the first reading if all are later, because a snapshot defines its
        times so."""
        for clocks in sorted(self.clocks, key=lambda c: -c[3]):
            if boottime - (clocks[6] - clocks[3]) >= clocks[3]:
                break
        return boottime - (clocks[6] - clocks[3])

    def packet(self, packet):
        bundle = one(packet, 1)
        if bundle:
            self.ftrace(fields(bundle))
            return
        assert one(packet, 10), "no sequence"
        flags = one(packet, 13)
        if one(packet, 10) not in self.sequences:
            assert flags == 1, "the first packet does not clear the state"
            assert one(fields(one(packet, 59)), 58) == 3, "default clock is not MONOTONIC"
            self.first = self.first or packet
        else:
            assert flags == 2, f"sequence flags {flags}"
        numbers = (1, 2, 3, 5, 6, 7, 16, 17, 18, 19, 20)
        self.names = self.sequences.setdefault(one(packet, 10), {number: {} for number in numbers})
        interned = one(packet, 12)
        if interned:
            for number, _, entry in fields(interned):
                entry = fields(entry)
                iid = one(entry, 1)
                assert (
                    iid and iid not in self.names[number]
                ), "an interned number is 0 or defined twice"
                if number in (6, 7, 19):  # frames, call stacks, mappings
                    self.names[number][iid] = entry
                else:
                    self.names[number][iid] = one(entry, 2) if number == 16 else text(one(entry, 2))
        if one(packet, 6):
            snapshot = fields(one(packet, 6))
            assert one(snapshot, 2) == 6, "primary clock is not BOOTTIME"
            clocks = {one(fields(c), 1): one(fields(c), 2) for c in every(snapshot, 1)}
            # Programs that read traces reject clock readings that go back in time.
            assert clocks[3] >= self.clock_of.get(
                one(packet, 10), 0
            ), "readings of clocks are not in order"
            self.clock_of[one(packet, 10)] = clocks[3]
            self.clocks.append(clocks)
        if one(packet, 2):
            tree = fields(one(packet, 2))
            for process in map(fields, every(tree, 1)):
                self.processes[one(process, 1)] = [text(a) for a in every(process, 3)]
            for thread in map(fields, every(tree, 2)):
                # The name of a short-lived thread may be missing.
                self.threads[one(thread, 1)] = text(one(thread, 2, b""))
        if one(packet, 60):
            track = fields(one(packet, 60))
            uuid = one(track, 1)
            assert uuid and uuid not in self.tracks, "a track has no number or is there twice"
            thread = fields(one(track, 4, b""))
            self.track_names[uuid] = (
                text(one(track, 2, b"")),
                one(track, 5),
                one(track, 8) is not None,
            )
            self.tracks[uuid] = (
                (one(thread, 1), one(thread, 2), text(one(thread, 5, b""))) if thread else None
            )
        if one(packet, 126):
            for attribute in map(fields, every(fields(one(packet, 126)), 1)):
                value = one(attribute, 3)
                self.attributes[text(one(attribute, 1))] = (
                    one(attribute, 2) if value is None else text(value)
                )
        if one(packet, 46):
            self.triggers.append((one(packet, 8), text(one(fields(one(packet, 46)), 1))))
        if one(packet, 66):
            sample = fields(one(packet, 66))
            self.samples[one(packet, 8), one(sample, 3)] = self.stack(one(sample, 4))
        if one(packet, 11):
            self.track_event(one(packet, 8), fields(one(packet, 11)))

    def stack(self, iid):
        """Returns the frames of a call stack in the order of the JSON lines, innermost first."""
        frames = []
        for number in reversed(every(self.names[7][iid], 2)):
            frame = self.names[6][number]
            mapping = self.names[19].get(one(frame, 3), [])
            path = "".join(self.names[17][part] for part in every(mapping, 7))
            build_id = self.names[16].get(one(mapping, 2), b"").hex()
            frames.append(
                (
                    self.names[5].get(one(frame, 2)),
                    one(frame, 4),
                    path,
                    build_id,
                    self.names[18].get(one(frame, 5)),
                    one(frame, 6),
                )
            )
        return frames

    def track_event(self, time, event):
        kind, uuid = one(event, 9), one(event, 11)
        assert uuid in self.tracks, "an event on a track that was not described"
        assert kind in (1, 2, 3, 4), f"an event of type {kind}"
        if kind == 4:
            name, _, is_counter = self.track_names[uuid]
            assert is_counter, "a value on a track that is not a counter"
            value = one(event, 44)
            self.counters.append(
                (
                    time,
                    name,
                    signed(one(event, 30)) if value is None else struct.unpack("<d", value)[0],
                )
            )
            return
        values = {}
        for annotation in map(fields, every(event, 4)):
            iid = one(annotation, 1)
            name = self.names[3][iid] if iid else text(one(annotation, 10))
            values[name] = annotation_value(annotation)
        stack = self.stack(one(event, 56)) if one(event, 56) else None
        for flow in every(event, 47):
            self.flows.append((struct.unpack("<Q", flow)[0], time, uuid))
        if one(event, 21):
            log = fields(one(event, 21))
            self.logs.append((time, self.names[20][one(log, 2)], one(log, 3)))
        # A name that is not interned is never the name of an event of the snapshot.
        own_name = text(one(event, 23, b""))
        if kind == 2:
            assert self.open.get(uuid), f"at {time}, a slice ends that did not begin"
            begun = self.open[uuid].pop()
            assert time >= begun["time"], "a slice ends before it begins"
            begun["end"] = time
            if begun["category"] == "flightrec" or values.get("flightrec"):
                return
        elif own_name == "stack at the death of the process":
            self.threads_at_death[self.tracks[uuid][1]] = stack
            return
        else:
            category = self.names[1][one(event, 3)] if every(event, 3) else text(one(event, 22))
            name = own_name or self.names[2][one(event, 10)]
            begun = {
                "time": time,
                "category": category,
                "name": name,
                "values": values,
                "end": None,
            }
            if kind == 1:
                self.open.setdefault(uuid, []).append(begun)
            if name.startswith("covered"):
                self.coverage.append((self.track_names[uuid][0], begun))
                return
            if own_name and category == "flightrec":
                self.crashes.append((time, own_name, self.tracks[uuid], values, begun))
                return
            if own_name:
                assert kind == 1 and values == {
                    "flightrec": "its begin is not there"
                }, "an event with a name of its own"
                return
        self.events.append(
            {
                "time": time,
                "track": self.tracks[uuid],
                "event": begun["category"] + ":" + begun["name"],
                "fields": values,
                "stack": stack,
                "kind": kind,
                "uuid": uuid,
                "lane": bool(self.track_names[uuid][0]) and self.tracks[uuid] is None,
            }
        )

    def ftrace(self, bundle):
        cpu = one(bundle, 1)
        events = list(map(fields, every(bundle, 2)))
        # A switch in front of another fills a gap, which no event in the file does.
        if len(events) > 1:
            gap, behind = [dict((n, v) for n, _, v in fields(event[-1][2])) for event in events]
            assert [gap[5], gap[6], gap[7]] == [behind[1], behind[2], behind[3]], (gap, behind)
            assert gap[2] == self.running[cpu] != gap[6], (gap, self.running)
        for event in events[-1:]:
            number, _, body = event[-1]
            body, values = fields(body), {}
            if number == 327:
                name = text(one(body, 1))
                for field in map(fields, every(body, 2)):
                    kind, _, value = field[-1]
                    values[text(one(field, 1))] = (
                        text(value) if kind == 3 else signed(value) if kind == 4 else value
                    )
            else:
                name, names = KNOWN[number]
                for n, kind, value in body:
                    if names[n] == "args":
                        values.setdefault("args", []).append(value)
                    else:
                        values[names[n]] = text(value) if kind == 2 else signed(value)
            if name == "sched_switch":
                assert self.running.get(cpu) in (None, values["prev_pid"]) or len(events) > 1
                self.running[cpu] = values["next_pid"]
            self.events.append(
                {
                    "time": self.monotonic(one(event, 1)),
                    "cpu": cpu,
                    "tid": one(event, 2),
                    "event": name,
                    "fields": values,
                }
            )


def same(ours, theirs):
    if isinstance(ours, str) and isinstance(theirs, float):
        return (ours == "nan" and math.isnan(theirs)) or float(ours) == theirs
    if isinstance(ours, float) or isinstance(theirs, float):
        # JSON has only nine digits of a 4-byte float, so the values are compared as 4-byte floats.
        return ours == theirs or struct.pack("<f", ours) == struct.pack("<f", theirs)
    if ours is None:
        return theirs == "<invalid>"
    return ours == theirs


def frames_of(line):
    path = lambda frame: {"[kernel]": "/kernel"}.get(frame.get("module"), frame.get("module", ""))
    return [
        (
            frame.get("function"),
            int(frame["address"], 16),
            path(frame),
            frame.get("build_id", ""),
            frame.get("file"),
            frame.get("line"),
        )
        for frame in line["stack"]
    ]


def compare(line, event, samples):
    where = f"{line} against {event}"
    assert line["time"] == event["time"], where
    expected = {name: value for name, value in line["fields"].items()}
    for name in line.get("truncated", []):
        expected[name] += "…"
        expected[name + ".truncated"] = True
    # In Perfetto, a kernel event can have no fields but its own, so it cannot have registers.
    if "registers" in line and "cpu" not in event:
        expected["registers"] = line["registers"]
    assert sorted(expected) == sorted(event["fields"]), where
    for name, value in expected.items():
        assert same(value, event["fields"][name]), f"{name}: {where}"
    if "stack" in line:
        sample = samples.pop((line["time"], line["tid"] & 0xFFFFFFFF))
        assert frames_of(line) == sample, f"{sample} for {where}"
    if "cpu" not in event:
        assert (frames_of(line) if "stack" in line else None) == event["stack"], where
    if "cpu" in event:
        assert line["event"].split(":")[1] == event["event"] and line["cpu"] == event["cpu"], where
        assert line["tid"] == event["tid"], where
    else:
        if event["kind"] == 3:
            assert line["event"] == event["event"], where
        else:
            assert line["event"].split(":")[0] == event["event"].split(":")[0], where
        if event["lane"] and event["kind"] != 3:
            pass  # the event is on no thread's track
        elif line["tid"] is None:
            assert event["track"] is None, where
        else:
            assert (
                event["track"][:2]
                == (line["tid"] if line["pid"] is None else line["pid"], line["tid"])
                or "thread" not in line
            ), where
            assert event["track"][2] == line.get("thread", ""), where


def check_made_snapshot(trace):
    """Checks what data/make_snapshot.c is known to write in addition to the events."""
    assert all(clocks[6] - clocks[3] == BOOT_OFFSET for clocks in trace.clocks)
    assert trace.processes[123] == ["/usr/bin/shopd", "--port", "80 80"]
    assert trace.threads[125] == "worker-1\\xff"
    assert (
        trace.attributes["flightrec.host"] == "web-7"
        and trace.attributes["flightrec.loss.lost"] == 6
    )
    assert trace.attributes["flightrec.coverage.cpu1.until_ns"] >= 2_500_000_000
    wrapped = trace.attributes["flightrec.coverage.cpu0.wrapped"]
    for name, slice_ in trace.coverage:
        assert (
            slice_["time"]
            == trace.attributes[f"flightrec.coverage.{name.replace(' ', '')}.from_ns"]
        ), name
        assert (
            slice_["end"]
            == trace.attributes[f"flightrec.coverage.{name.replace(' ', '')}.until_ns"]
        ), name
        assert slice_["values"]["wrapped"] == wrapped and slice_["name"] == "covered, but 3 lost"
        assert slice_["values"]["sched:sched_switch lost"] == 3
    assert [name for name, _ in trace.coverage] == ["cpu 0", "cpu 1"]
    # In this field, bit 0 means that events are missing (three switches were lost), and bit 6 that
    # events were overwritten.
    assert one(trace.first, 42) == (65 if wrapped else 1)
    if trace.triggers[0][1] == "crash":
        ((time, name, track, values, begun),) = trace.crashes
        assert begun["end"] == 2_600_000_000, "the crash does not last until the process was gone"
        assert (
            values["what"].startswith("shopd[123] died of SIGSEGV")
            and "registers" in values["report"]
        )
        assert (time, name, track[:2]) == (2_500_000_000, "crash: SIGSEGV", (123, 125))
        assert (
            values["signal"] == "SIGSEGV"
            and values["code"] == "SEGV_MAPERR"
            and values["address"] == "0x0"
        )
        assert values["process"] == "shopd" and values["cmdline"] == "/usr/bin/shopd --port '80 80'"
        assert values["registers"]["ip"] == "0x1008"
        for stack in trace.threads_at_death.values():
            assert [frame[1] for frame in stack] == [0x100, 0x204, 0x300], stack
    else:
        assert not trace.crashes and trace.triggers[0][1] == "slow checkout"


def main():
    data = open(sys.argv[1], "rb").read()
    lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
    raw = subprocess.run(
        ["protoc", "--decode_raw"], input=data, stdout=subprocess.PIPE, check=True
    ).stdout
    trace = Trace(data)
    # protoc, which is independent of this script, must find the same number of packets.
    assert len(re.findall(rb"^1 \{|^1: ", raw, re.M)) == len(fields(data))
    assert len(lines) == len(trace.events), f"{len(lines)} lines, {len(trace.events)} events"
    for line, event in zip(lines, trace.events):
        compare(line, event, trace.samples)
    last = {}
    for event in trace.events:
        if event.get("track"):
            key = event["track"]
            assert event["time"] >= last.get(key, 0), f"time goes back on {key}"
            last[key] = event["time"]
    assert len(trace.clocks) == 2 and all(set(clocks) == {1, 3, 6} for clocks in trace.clocks)
    assert len(trace.triggers) == 1
    if sys.argv[3:] != ["--recorded"]:
        check_made_snapshot(trace)
    print(f"{len(lines)} events agree")


if __name__ == "__main__":
    main()
