#!/usr/bin/env python3
"""Measures the images, and compares them with the tables of sizes.

    images.py DIRECTORY          prints the table of sizes, and checks the images
    images.py DIRECTORY --write  and writes the table: all rows into examples/firmware/README.md, some of
                                 them into the README of the library

DIRECTORY is where cargo has put the images for thumbv7m-none-eabi, built with the feature `others` and
the profiles `release` (opt-level "s") and `smallest` ("z"). Flash and RAM are differences to the empty
image. The stack is that of the whole program: it is painted before `main` and measured after the program
has run in the emulator. RAM and stack are those of "s".
"""

import os
import re
import struct
import subprocess
import sys

# Each image, and its name in the table.
ROWS = [
    ("size_decoder", "decoder"),
    ("size_codec", "codec: decoder, and encoder of every packet"),
    ("size_client", "client as a device has it"),
    ("size_codec_client", "codec and client"),
    ("size_codec_client_server", "codec, client and server"),
    ("size_client_v5", "client of MQTT 5"),
    ("size_codec_client_v5", "codec and client of MQTT 5"),
    ("size_codec_client_both", "codec and client, of both versions"),
]
# The program of size_client with other libraries. They may panic.
OTHER_CLIENTS = [
    ("size_minimq", "the same program with minimq 0.13 (MQTT 5)"),
    ("size_rust_mqtt", "the same program with rust-mqtt 0.6 (MQTT 5)"),
]
# One image formats, one can panic: they show that the search for such symbols finds them.
FORMATS = "size_display"
PANICS = "panics"
WITHOUT_A_ROW = ["size_empty", "self_test", "live", "live_v5"]

# The counts of packets, bytes or events that each program prints if it has done everything.
EXPECTED = {
    "decode": 11,
    "decode_and_encode": 77,
    "client": 9,
    "client_and_encode": 86,
    "client_v5": 9,
    "client_and_encode_v5": 85,
    "server": 8,
    "display": 61,
    "minimq": 12,
    "rust_mqtt": 10,
}

# Bytes of flash with "s", of flash with "z", of static RAM and of stack: the measured values and 5 %, so that
# a small change does not fail. The goals are 16 KiB of flash with "z", for MQTT 5 24 KiB, and 1 KiB of stack.
LIMITS = {
    "size_client": (18_400, 17_050, 1_024, 1_024),
    "size_client_v5": (27_000, 25_700, 1_280, 1_050),
}
# The tolerance between a size in a table and the measured one, because compilers differ.
TOLERANCE = 0.10

COLUMNS = ('flash, `"s"`', 'flash, `"z"`', "static RAM", "deepest stack")
MARKERS = ("<!-- sizes -->\n", "<!-- end of sizes -->\n")
# The rows of the library's README.
SHORT = ("decoder", "client as a device has it", "codec, client and server")

# The module `v5` in mangled names. An image of MQTT 3.1.1 alone must not contain it.
OF_MQTT_5 = re.compile(rb"2v5|\.\.v5\.\.")
# The names of panics and formatting, in both mangling schemes.
FORBIDDEN = re.compile(rb"4core9panicking|4core3fmt|core\.\.fmt\.\.|rust_begin_unwind|rust_panic")


class Image:
    """An ELF file: 32 bits, little-endian."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = data = file.read()
        assert data[:6] == b"\x7fELF\x01\x01", path
        offset, size, count = struct.unpack_from("<I10xHH", data, 32)[0], *struct.unpack_from("<HH", data, 46)
        self.sections = [struct.unpack_from("<10I", data, offset + size * i) for i in range(count)]

    def sizes(self):
        """Returns the bytes of flash and of static RAM."""
        flash = ram = 0
        for _, kind, flags, _, _, size, *_ in self.sections:
            writable, allocated = flags & 1, flags & 2
            if allocated:
                ram += size if writable else 0
                flash += 0 if kind == 8 else size  # 8: not in the file, zeroed at the start
        return flash, ram

    def symbols(self):
        for _, kind, _, _, offset, size, link, *_ in self.sections:
            if kind != 2:  # the symbol table
                continue
            names = self.sections[link][4]
            for at in range(offset, offset + size, 16):
                start = names + struct.unpack_from("<I", self.data, at)[0]
                yield self.data[start : self.data.index(b"\0", start)]

    def symbols_like(self, pattern):
        return [name.decode() for name in self.symbols() if pattern.search(name)]


def run(path):
    """Runs an image, and returns the greatest depth of its stack."""
    emulator = "qemu-system-arm -machine lm3s6965evb -nographic -monitor none -serial none"
    semihosting = ["-semihosting-config", "enable=on,target=native", "-kernel", path]
    done = subprocess.run(
        [*emulator.split(), *semihosting],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        text=True,
    )
    assert done.returncode == 0, f"{path}: {done.stdout}"
    # A program that does not run to its end could be smaller than the others.
    counts = dict(re.findall(r"^(\w+) (\d+)$", done.stdout, re.MULTILINE))
    stack = counts.pop("stack")
    assert counts, f"{path}: {done.stdout}"
    for name, count in counts.items():
        assert int(count) == EXPECTED[name], f"{path}: {done.stdout}"
    return int(stack)


def main():
    if len(sys.argv) not in (2, 3) or (len(sys.argv) == 3 and sys.argv[2] != "--write"):
        sys.exit(__doc__)
    directory, writes = sys.argv[1], len(sys.argv) == 3
    failures = []

    def path(name, profile="release"):
        return os.path.join(directory, profile, name)

    def image(name, profile="release"):
        return Image(path(name, profile))

    # The search finds the forbidden symbols in the images that have them.
    for name, part in ((FORMATS, "fmt"), (PANICS, "panic")):
        if not any(part in symbol for symbol in image(name).symbols_like(FORBIDDEN)):
            failures.append(f"no symbol of {name} has {part} in it")
    for name, _ in ROWS:
        found = image(name).symbols_like(OF_MQTT_5)
        if bool(found) != name.endswith(("_v5", "_both")):
            failures.append(f"{name}: of MQTT 5 it has {found}")
    for name in WITHOUT_A_ROW + [name for name, _ in ROWS]:
        for symbol in image(name).symbols_like(FORBIDDEN):
            failures.append(f"{name} can panic, or formats: {symbol}")

    table = "| what | " + " | ".join(COLUMNS) + " |\n|---|--:|--:|--:|--:|\n"
    formats = (FORMATS, "decoder, and its errors in words (`Display`)")
    for name, title in [*ROWS, formats, *OTHER_CLIENTS]:
        sizes = []
        for profile in ("release", "smallest"):
            both = zip(image(name, profile).sizes(), image("size_empty", profile).sizes())
            sizes.append([own - base for own, base in both])
        (flash, ram), (smallest, _) = sizes
        numbers = (flash, smallest, ram, run(path(name)))
        table += f"| {title} | " + " | ".join(f"{number:,}" for number in numbers) + " |\n"
        for what, size, limit in zip(COLUMNS, numbers, LIMITS.get(name, ())):
            if limit is not None and size > limit:
                failures.append(f"{name}: {size} bytes of {what}, at most {limit} are wanted")
    print(table, end="")

    for path_of_readme, rows in readmes(table):
        if writes:
            before, _, after = split(path_of_readme)
            with open(path_of_readme, "w") as file:
                file.write(before + MARKERS[0] + rows + MARKERS[1] + after)
        else:
            failures += differences(path_of_readme, rows)
    for failure in failures:
        print(f"failed: {failure}")
    sys.exit(bool(failures))


def readmes(table):
    """Yields the two READMEs with a table, and the table of each."""
    here = os.path.dirname(os.path.abspath(__file__))
    yield os.path.join(here, "README.md"), table
    head, rows = table.splitlines(keepends=True)[:2], table.splitlines(keepends=True)[2:]
    short = head + [row for row in rows if row.startswith(tuple(f"| {title} |" for title in SHORT))]
    # The library's README leaves out the stack.
    yield os.path.join(here, "../../README.md"), "".join(row.rsplit("|", 2)[0] + "|\n" for row in short)


def split(readme):
    """Returns the text before the table, the table, and the text after it."""
    with open(readme) as file:
        return re.split("|".join(MARKERS), file.read())


def differences(readme, table):
    """Returns the differences between the table in a README and the measured one."""
    _, stated, _ = split(readme)
    rows = [dict((l.split(" | ")[0], l) for l in text.splitlines()[2:]) for text in (stated, table)]
    if rows[0].keys() != rows[1].keys():
        return [f"the table in {readme} has other rows: images.py --write"]
    found = []
    for title, line in rows[0].items():
        numbers = [[int(n.replace(",", "")) for n in re.findall(r"[\d,]+(?= \|)", l)] for l in (line, rows[1][title])]
        if any(abs(a - b) > TOLERANCE * max(a, b) for a, b in zip(*numbers)):
            found.append(f"{readme} has {line}, measured was {rows[1][title]}: images.py --write")
    return found


if __name__ == "__main__":
    main()
