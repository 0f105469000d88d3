"""Boxes, arrows and text as an SVG file. A picture is readable on light and dark pages."""

import re
from html import escape

FONT_SIZE = 14
LINE_HEIGHT = 19

# Each colour for light and for dark pages.
COLOURS = {
    ".page": ("fill:#fff;stroke:#d0d7de", "fill:#161b22;stroke:#3d444d"),
    "text": ("fill:#1f2328", "fill:#e6edf3"),
    ".note": ("fill:#57606a", "fill:#a5b0bb"),
    ".box": ("fill:#eef1f4;stroke:#6e7781", "fill:#262c36;stroke:#8b949e"),
    ".main": ("fill:#ddeaff;stroke:#2f6fd0", "fill:#16345f;stroke:#6ea8fe"),
    ".other": ("fill:#ffe9cf;stroke:#b35900", "fill:#4d2f0c;stroke:#f0a04b"),
    ".line": ("stroke:#57606a", "stroke:#a5b0bb"),
    ".head": ("fill:#57606a", "fill:#a5b0bb"),
}


def rules(theme):
    return "".join(f"{name}{{{colours[theme]}}}" for name, colours in COLOURS.items())


def width_of(line, bold=False):
    """An upper estimate: fonts differ."""
    width = 0
    for position, part in enumerate(line.split("`")):
        # Of a monospaced font each letter has the same width.
        width += len(part) * (0.62 * 13 if position % 2 else (0.58 if bold else 0.54) * FONT_SIZE)
    return width


def marked_up(line):
    """Escapes a line; what stands in backticks becomes code."""
    return re.sub("`(.*?)`", r'<tspan class="code">\1</tspan>', escape(line, quote=False))


class Picture:
    def __init__(self, width, height, title, description):
        self.width, self.height = width, height
        self.parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            "<style>",
            f"text{{font:{FONT_SIZE}px -apple-system,Segoe UI,Helvetica,Arial,sans-serif}}",
            ".code{font:13px ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace}.bold{font-weight:bold}",
            ".middle{text-anchor:middle}.end{text-anchor:end}.line{fill:none;stroke-width:1.5}",
            ".dashed{stroke-dasharray:5 4}",
            rules(0),
            f"@media(prefers-color-scheme:dark){{{rules(1)}}}",
            "</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
            'markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker>',
            f'<rect class="page" x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8"/>',
        ]

    def text(self, x, y, line, style=""):
        """Writes a line from x, around it with the style `middle`, or up to it with `end`."""
        width = width_of(line, bold="bold" in style)
        left = x - (width if "end" in style else width / 2 if "middle" in style else 0)
        if left < 0 or left + width > self.width:
            raise ValueError(f"does not fit: {line}")
        style = f' class="{style}"' if style else ""
        self.parts.append(f'<text{style} x="{x}" y="{y}">{marked_up(line)}</text>')

    def rectangle(self, x, y, width, height, style):
        self.parts.append(f'<rect class="{style}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>')

    def box(self, x, y, width, height, *lines, style="box"):
        """Draws a box with lines in its middle, of which the first is bold."""
        self.rectangle(x, y, width, height, style)
        first = y + (height - LINE_HEIGHT * len(lines)) / 2 + 14
        for number, line in enumerate(lines):
            if width_of(line, bold=number == 0) > width - 8:
                raise ValueError(f"does not fit its box: {line}")
            style = "middle" if number else "middle bold"
            self.text(x + width // 2, round(first + LINE_HEIGHT * number), line, style)

    def line(self, *points, style=""):
        path = "L".join(f"{x} {y}" for x, y in points)
        self.parts.append(f'<path class="{("line " + style).strip()}" d="M{path}"/>')

    def arrow(self, *points, style=""):
        path = "L".join(f"{x} {y}" for x, y in points)
        self.parts.append(f'<path class="{("line " + style).strip()}" marker-end="url(#head)" d="M{path}"/>')

    def print(self):
        print("\n".join([*self.parts, "</svg>"]))
