#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the events of a snapshot, oldest first for each ring, using nothing but the schema.

    read_frec.py flightrec.proto FILE.frec

protoc makes the classes from the schema; the comments in the schema explain everything else that is
used here. This program reads the file as one message; for large files, read one top-level field
after the other.
"""
import importlib
import os
import struct
import subprocess
import sys
import tempfile

import zstandard

PROTO, FILE = os.path.abspath(sys.argv[1]), sys.argv[2]
with tempfile.TemporaryDirectory() as made:
    folder = os.path.dirname(PROTO)
    subprocess.run(["protoc", f"-I{folder}", f"--python_out={made}", PROTO], check=True)
    sys.path.insert(0, made)
    pb = importlib.import_module(os.path.basename(PROTO).replace(".proto", "_pb2"))

PERF_RECORD_SAMPLE = 9
# Bits of Source.sample_type: each says that a sample has this part before its payload.
PERIOD, CALLCHAIN = 1 << 8, 1 << 5


def located(payload, field, raw):
    """Returns the bytes of a string or byte array. `raw`, the field itself, holds their place and
    size."""
    word, = struct.unpack("<I", raw)
    start = word & 0xffff
    if field.locator == pb.LOCATOR_RELATIVE:
        start += field.offset + 4
    return payload[start:start + (word >> 16)]


def value(payload, field):
    raw = payload[field.offset:field.offset + field.size]
    if field.locator:
        data = located(payload, field, raw)
        return data.hex() if field.kind == pb.FIELD_BYTES else data.rstrip(b"\0").decode()
    if field.kind == pb.FIELD_FLOAT:
        return struct.unpack("<f" if field.size == 4 else "<d", raw)[0]
    if field.kind == pb.FIELD_CHARS:
        return raw.split(b"\0")[0].decode()
    number = int.from_bytes(raw, "little", signed=field.kind in (pb.FIELD_SIGNED, pb.FIELD_ENUM))
    return next((e.name for e in field.enumerator if e.value == number), number)


def payload_of(sample, kind):
    """Returns the payload of a PERF_RECORD_SAMPLE. `sample` is what follows id, pid, tid, time and
    cpu; `kind` is Source.sample_type."""
    at = 8 if kind & PERIOD else 0
    if kind & CALLCHAIN:
        at += 8 + 8 * struct.unpack_from("<Q", sample, at)[0]
    size, = struct.unpack_from("<I", sample, at)
    return sample[at + 4:at + 4 + size]


with open(FILE, "rb") as file:
    snapshot = pb.Snapshot.FromString(file.read())
sources = {source.id: source for source in snapshot.source}
print(f"{pb.Trigger.Kind.Name(snapshot.trigger.kind)} {snapshot.trigger.name}".strip())
for part in snapshot.records:
    data = part.plain or zstandard.ZstdDecompressor().decompress(part.zstd, part.size)
    at = 0
    while at < len(data):
        kind, _, size = struct.unpack_from("<IHH", data, at)
        source_id, pid, tid, time = struct.unpack_from("<QIIQ", data, at + 8)
        source = sources.get(source_id)
        if kind == PERF_RECORD_SAMPLE and source:
            payload = payload_of(data[at + 40:at + size], source.sample_type)
            fields = " ".join(f"{f.name}={value(payload, f)}" for f in source.field)
            print(f"{time / 1e9:.9f} {pid} {tid} {source.system}:{source.name} {fields}")
        at += size
