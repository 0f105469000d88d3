"""Finds the public functions of the library that are not in a list of symbols.

    left_out.py RUSTDOC_JSON < SYMBOLS

RUSTDOC_JSON is what rustdoc writes with `--output-format json`; SYMBOLS are those of a program that
was built without optimization, so that every function it reaches is there, one on a line as
`nm --demangle` shows them for symbols mangled with version v0.
"""

import json
import sys

# Formatting needs core::fmt, which has panics of its own.
FORMATTING = {"Debug", "Display"}

# These are for constants: on an invalid one they panic at compile time.
CONSTANTS = {("Checked", None, "from_static")}


def last(path):
    """Returns the last name of a path: `Client` of `mqtt_sansio::connection::client::Client<[Slot; 4]>`."""
    if path.startswith("["):
        return "array" if ";" in path else "slice"
    if path.startswith("&"):
        return "reference"
    name = path.split("<")[0].split("::")[-1]
    # An alias, which symbols do not know.
    return "NonZero" if name == "NonZeroU16" else name


def public_functions(documented):
    """Yields (implementing type or None, trait or None, name) of each function."""
    index = documented["index"]

    def type_name(of):
        kind, what = next(iter(of.items()))
        return {
            "resolved_path": lambda: last(what["path"]),
            "primitive": lambda: what,
            "array": lambda: "array",
            "borrowed_ref": lambda: "reference",
            "generic": lambda: what,
        }[kind]()

    def functions(ids):
        items = (index.get(str(i)) for i in ids)
        return [item for item in items if item and "function" in item["inner"]]

    for item in index.values():
        if item["crate_id"] != 0:
            continue
        inner = item["inner"]
        if "module" in inner:
            for function in functions(inner["module"]["items"]):
                if function["visibility"] == "public":
                    yield None, None, function["name"]
        if "trait" in inner:
            # Functions with a body. The implementations have those without.
            for function in functions(inner["trait"]["items"]):
                if function["inner"]["function"]["has_body"]:
                    yield None, item["name"], function["name"]
        if "impl" in inner:
            implementation = inner["impl"]
            of = implementation["trait"]
            derived = "automatically_derived" in str(item["attrs"])
            if implementation["is_synthetic"] or implementation["blanket_impl"] or derived:
                continue
            if of and last(of["path"]) in FORMATTING:
                continue
            for function in functions(implementation["items"]):
                if of or function["visibility"] == "public":
                    name = type_name(implementation["for"])
                    yield name, of and last(of["path"]), function["name"]


def split(symbol):
    """Returns the same for a symbol, which has the form `<A as B>::c::<d>`, `<A>::c` or `a::b::c`."""
    if not symbol.startswith("<"):
        return None, None, symbol.split("::<")[0].split("::")[-1]
    depth, at, as_at = 0, 0, None
    for at, sign in enumerate(symbol):
        depth += {"<": 1, ">": -1}.get(sign, 0)
        if symbol.startswith(" as ", at) and depth == 1:
            as_at = at
        if depth == 0:
            break
    name = symbol[at + 1 :].removeprefix("::").split("::")[0].split("<")[0]
    if as_at is None:
        return last(symbol[1:at]), None, name
    return last(symbol[1:as_at]), last(symbol[as_at + 4 : at]), name


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        public = set(public_functions(json.load(file))) - CONSTANTS
    reached = set()
    for line in sys.stdin:
        symbol = line.strip()
        if "mqtt_sansio" not in symbol:
            continue
        of, trait, name = split(symbol)
        reached.add((of, trait, name))
        if trait:
            # The function may be a default of the trait.
            reached.add((None, trait, name))
    left_out = sorted(str(function) for function in public - reached)
    print(f"{len(public)} public functions, {len(left_out)} of them not called")
    for function in left_out:
        print(f"  {function}")
    # Far fewer would mean that the list was misread.
    sys.exit(1 if left_out or len(public) < 150 else 0)


main()
