"""A bar chart of the short table of speed in the README, which benches/peers/results writes."""

from pathlib import Path

from drawing import Picture, width_of

README = Path(__file__).resolve().parents[2] / "README.md"
BAR = 250  # the longest
ROW = 26


def read_table():
    """Returns the cells of each row: workload, own time, the best other's time and name, ratio."""
    table = README.read_text().partition("<!-- results -->")[2].partition("<!-- end of results -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [row for row in rows if row[3]]  # no ratio: only this library offers it


rows = read_table()
ratios = [float(row[3]) for row in rows]
scale = BAR / max(ratios)
left = 20 + round(max(width_of(row[0]) for row in rows)) + 8
width = left + BAR + 290
picture = Picture(
    width,
    70 + ROW * len(rows) + 12,
    "The best other library's time as a multiple of mqtt-sansio's",
    "Above 1, mqtt-sansio is faster. "
    + "; ".join(f"{workload}: {ratio}" for workload, _, _, ratio in rows)
    + ".",
)
picture.text(20, 28, "Time of the best other library; mqtt-sansio is 1", "bold")
picture.text(width - 20, 28, "ns: mqtt-sansio, best other", "end note")

for number, ((workload, own, other, ratio), value) in enumerate(zip(rows, ratios)):
    y = 66 + ROW * number
    picture.text(left - 8, y + 14, workload, "end")
    picture.rectangle(left, y, round(value * scale), ROW - 6, "main" if value >= 1 else "other")
    picture.text(left + round(max(value, 1) * scale) + 6, y + 14, ratio, "bold")
    time, _, library = other.partition(" (")
    picture.text(width - 20, y + 14, f"{own}, {time} {library.split()[0]}", "end note")

one = left + round(scale)
picture.text(one, 52, "1", "middle note")
picture.line((one, 58), (one, 66 + ROW * len(rows)), style="dashed")

picture.print()
