"""The attacker of test_files.py: as user nobody, maps files that are meant to harm whoever reads
their sections.

    hostile_files.py FOLDER     prints a line when all are mapped, then waits for the end of input
"""
import mmap
import os
import struct
import sys

SECTION = 16 << 20


def elf(sections, count=None, extra=b""):
    """Returns an ELF file with these section headers, (name offset, type, offset, size), and the
    offset at which they end. `count`, if given, is the number of sections that the file claims."""
    names = b"\0frec_declarations\0.note.flightrec\0.note.stapsdt\0.shstrtab\0"
    table = 64 + len(names)
    table += -table % 8
    headers = [(0, 0, 0, 0), *sections, (names.index(b".shstrtab"), 3, 64, len(names))]
    in_header = len(headers) if count is None and len(headers) < 0xFF00 else 0
    total = count or len(headers)
    body = []
    for number, (name, kind, offset, size) in enumerate(headers):
        link = 0
        if number == 0 and not in_header:
            size, link = total, len(headers) - 1
        body.append(struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, offset, size, link, 0, 1, 0))
    body = b"".join(body)
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack(
        "<HHIQQQIHHHHHH",
        3, 62, 1, 0, 0, table, 0, 64, 56, 0, 64, in_header,
        len(headers) - 1 if in_header else 0xFFFF,
    )  # fmt: skip
    return (head + names).ljust(table, b"\0") + body + extra, table + len(body)


def declaration(number):
    text = f"attack\0event{number}\0u64 value\0\0".encode()
    size = 16 + len(text)
    size += -size % 8
    return (struct.pack("<IIHHI", 0x43454446, size, 1, 0, len(text)) + text).ljust(size, b"\0")


def write(path, content, size=0):
    with open(path, "wb") as file:
        file.write(content)
        if size:
            file.truncate(size)


def make(folder):
    """Makes the files. Returns their paths."""
    # Thousands of sections, each of which is the same sparse 16 MiB, the most that a reader
    # accepts.
    many, end = elf([(1, 1, 8 << 20, SECTION)] * 60000)
    write(f"{folder}/many-sections", many, max(end, (8 << 20) + SECTION))
    many, end = elf([(1, 1, 8 << 20, SECTION)] * 600)
    write(f"{folder}/600-sections", many, max(end, (8 << 20) + SECTION))
    # A table of 12 million sections that is a hole in the file.
    huge, end = elf([(1, 1, 0, 64)], count=12_000_000)
    write(f"{folder}/huge-table", huge, end + 64 * 12_000_000)
    # 20 000 events.
    events = b"".join(map(declaration, range(20000)))
    _, start = elf([(1, 1, 0, len(events))])
    start += -start % 8
    full, end = elf([(1, 1, start, len(events))])
    write(f"{folder}/20000-events", full.ljust(start, b"\0") + events)
    # A note section of 1 MiB in which each note claims a site.
    note = struct.pack("<III", 10, 24, 1) + b"flightrec\0\0\0" + bytes(24)
    notes = note * ((1 << 20) // len(note))
    full, end = elf([(1 + len("frec_declarations") + 1, 7, 1 << 20, len(notes))])
    write(f"{folder}/notes", full.ljust(1 << 20, b"\0") + notes)
    # Several files, each of which takes some time.
    paths = [f"{folder}/{n}" for n in
             ("many-sections", "600-sections", "huge-table", "20000-events", "notes")]  # fmt: skip
    for number in range(3):
        paths.append(f"{folder}/again-{number}")
        write(paths[-1], many, max(end, (8 << 20) + SECTION))
    return paths


def main():
    maps = []
    for path in make(sys.argv[1]):
        with open(path, "rb") as file:
            maps.append(mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE,
                                  mmap.PROT_READ | mmap.PROT_EXEC))  # fmt: skip
    print("mapped", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
