# SPDX-License-Identifier: MIT
"""The messages of proto/control.proto in the wire format of protobuf, encoded and decoded without a
library."""
import json
import struct

KINDS = ("", "trigger", "notify", "attach", "status", "core", "stacks", "end", "stop",
         "notices")
REQUEST = {1: "kind", 2: "name", 3: "pid", 4: "missing", 5: "pair"}
REPLY = {1: "done", 2: "error", 3: "path", 4: "transport", 5: "awaited", 6: "status",
         7: "why"}
STATUS = {1: "pid", 2: "version", 3: "recording", 4: "attached", 5: "last"}
TEXTS = ("name", "error", "path", "version", "last", "why")


def varint(value):
    digits = b""
    while value > 0x7F:
        digits += bytes([value & 0x7F | 0x80])
        value >>= 7
    return digits + bytes([value])


def field(number, value):
    """Encodes a field whose value is a number, a text or the bytes of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def double(number, value):
    return varint(number << 3 | 1) + struct.pack("<d", value)


def request(kind, name="", pid=0, missing=0):
    """Encodes a request as a client does."""
    fields = ((1, KINDS.index(kind)), (2, name), (3, pid), (4, missing))
    return b"".join(field(number, value) for number, value in fields if value)


def done(**fields):
    """Encodes a reply that something was done."""
    numbers = {name: number for number, name in REPLY.items()}
    return field(1, 1) + b"".join(field(numbers[name], value) for name, value in fields.items())


def refused(error):
    return field(2, error)


def parse(data, names):
    """Decodes a message into a dictionary from the names of its fields to their values."""
    at, fields = 0, {}

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = data[at : at + value], at + value
        name = names[tag >> 3]
        fields[name] = value.decode() if name in TEXTS else value
    return fields


def heard(data):
    """Decodes a request into words, such as "trigger x" or "core 17". Fields that are 0 are not
    sent, so they give no words."""
    fields = parse(data, REQUEST)
    words = [fields[name] for name in ("name", "pid", "missing") if name in fields]
    return " ".join(map(str, [KINDS[fields["kind"]], *words]))


def answer(data):
    """Decodes a reply into ("ok", what) or ("error", why)."""
    fields = parse(data, REPLY)
    if not fields.get("done"):
        return "error", fields.get("error", "")
    if "status" in fields:
        status = parse(fields["status"], STATUS)
        return "ok", json.dumps(
            {name: "..." if isinstance(value, bytes) else value for name, value in status.items()}
        )
    return "ok", fields.get("path", "")
