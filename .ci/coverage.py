"""A table of what is covered, from lcov's format, and what is not covered nor accounted for.

    coverage.py LCOV NOT_COVERED

NOT_COVERED has lines `FILE FUNCTION LINES REASON`: so many lines of the function, at most, are not
reached by any test, and why. A function is one of any name as `fn NAME` in the file, and `*` any
file. An entry that is not needed any more is an error too.
"""

import collections
import os
import re
import sys


def source(path):
    """The lines of a source file up to its unit tests, and the function that each is in."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    function = ""
    functions = []
    for at, line in enumerate(lines):
        if line == "#[cfg(test)]" and lines[at + 1].startswith("mod "):
            break
        found = re.match(r"\s*(?:pub(?:\([a-z]+\))? )?(?:const )?fn (\w+)", line)
        function = found[1] if found else function
        functions.append(function)
    return lines, functions


def main():
    lines = collections.defaultdict(lambda: collections.defaultdict(int))
    branches = collections.defaultdict(lambda: collections.defaultdict(int))
    path = None
    with open(sys.argv[1], encoding="utf-8") as file:
        for record in file:
            kind, _, rest = record.strip().partition(":")
            if kind == "SF":
                path = os.path.relpath(rest)
            elif kind == "DA":
                number, count = map(int, rest.split(",")[:2])
                lines[path][number] += count
            elif kind == "BRDA":
                number, block, branch, taken = rest.split(",")
                place = (int(number), branch, block)
                branches[path][place] += 0 if taken == "-" else int(taken)

    accounted = {}
    with open(sys.argv[2], encoding="utf-8") as file:
        for entry in file:
            if entry.strip() and not entry.startswith("#"):
                name, function, count, reason = entry.split(maxsplit=3)
                assert reason, entry
                accounted[name, function] = int(count)

    missed = collections.defaultdict(list)
    totals = [0, 0, 0, 0]
    print(f"{'':32} {'lines':>12} {'':8} {'branches':>12}")
    for path in sorted(lines):
        text, functions = source(path)
        own = {n: count for n, count in lines[path].items() if n <= len(functions)}
        sides = {at: n for at, n in branches[path].items() if at[0] <= len(functions)}
        numbers = [
            sum(1 for count in own.values() if count),
            len(own),
            sum(1 for count in sides.values() if count),
            len(sides),
        ]
        totals = [a + b for a, b in zip(totals, numbers)]
        row(path.removeprefix("src/"), numbers)
        for number, count in own.items():
            if not count:
                missed[path.removeprefix("src/"), functions[number - 1]].append(
                    (number, text[number - 1].strip())
                )
    row("all", totals)

    used = collections.Counter()
    wrong = 0
    for (path, function), places in sorted(missed.items()):
        key = (path, function) if (path, function) in accounted else ("*", function)
        if len(places) <= accounted.get(key, 0):
            used[key] += 1
            continue
        wrong += 1
        print(f"\nnot covered, and not accounted for: {path} {function} {len(places)}")
        for number, line in places:
            print(f"  {number:5} {line}")
    for key in accounted:
        if not used[key]:
            wrong += 1
            print(f"\naccounted for, and covered: {' '.join(key)}")
    # Fewer would mean that the report is not read as it is meant.
    sys.exit(1 if wrong or totals[1] < 3000 else 0)


def row(name, numbers):
    def share(part, whole):
        return f"{100 * part / whole:6.1f} %" if whole else ""

    hit, all_lines, taken, sides = numbers
    print(
        f"{name:32} {hit:5} /{all_lines:5} {share(hit, all_lines):8}"
        f" {taken:5} /{sides:5} {share(taken, sides):8}"
    )


main()
