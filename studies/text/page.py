"""Write the page of the study from its results: nothing on it is typed by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base.atomic import write_atomic
from isoflop.draw.canvas import OKABE_ITO, house_style, new_panels, ordered_colours, set_log_axis
from isoflop.draw.render import render_png
from isoflop.draw.series import AxisLabels, widen
from studies.text.parts import PARTS
from studies.text.results import write_cell

HEAD = """# Every law, from models trained here

Written by `python -m studies.text` from its results ({size} size); no number is typed. Losses are
nats per byte of held-out documents. This scale shows whether a law's form holds, and how counts
and recipes move its exponents. It cannot show Kaplan's or Hoffmann's amounts: other text, bytes
for tokens, 64 bytes of context and models a thousand to a million times smaller.
"""


def write_page(out: Path, page: Path) -> Path:
    """Write the page and its pictures from the results in `out`; parts without one are named.

    Args:
        out: folder of the study.
        page: where the page goes; pictures lie in a folder of its name beside it.
    """
    found = {
        part.name: json.loads(path.read_text("utf-8"))
        for part in PARTS
        if (path := out / "results" / f"{part.name}.json").exists()
    }
    sizes = sorted({result["size"] for result in found.values()}) or ["no"]
    blocks = [HEAD.format(size=", ".join(sizes))]
    for result in found.values():
        blocks.append(_section(result, page))
    missing = [part.name for part in PARTS if part.name not in found]
    if missing:
        blocks.append(f"Not measured yet: {', '.join(missing)}.\n")
    return write_atomic(page, "\n".join(blocks))


def _section(result: dict[str, Any], page: Path) -> str:
    lines = [f"## {result['title']}", ""]
    for note in result["notes"]:
        lines += [note, ""]
    for table in result["tables"]:
        lines += [f"**{table['title']}**", "", *_table(table), ""]
    for panel in filter(_has_points, result["panels"]):
        path = page.with_suffix("") / f"{panel['name']}.png"
        write_atomic(path, _draw(panel))
        lines += [f"![{panel['title']}]({path.parent.name}/{path.name})", ""]
    return "\n".join(lines)


def _has_points(panel: dict[str, Any]) -> bool:
    return any(each["x"] for each in panel["series"])


def _table(table: dict[str, Any]) -> list[str]:
    rows = [[write_cell(cell).replace("|", "\\|") for cell in row] for row in table["rows"]]
    heads = [table["columns"], ["---"] * len(table["columns"]), *rows]
    return [f"| {' | '.join(row)} |" for row in heads]


@house_style()
def _draw(panel: dict[str, Any]) -> bytes:
    canvas, (ax,) = new_panels(1)
    series = panel["series"]
    numbers = np.arange(1.0, len(series) + 1)
    ordered = len(series) > len(OKABE_ITO) or all(s["line"] for s in series)
    colours = ordered_colours(numbers) if ordered else list(OKABE_ITO)
    for each, colour in zip(series, colours, strict=False):
        style = "-" if each["line"] else "o"
        ax.plot(each["x"], each["y"], style, color=colour, label=each["label"])
    for axis in ("x", "y"):
        values = np.concatenate([np.asarray(each[axis], dtype=float) for each in series])
        set_log_axis(ax, axis, panel[axis], AxisLabels(), limits=widen(values))
    ax.set_title(panel["title"])
    ax.legend(loc="best")
    return render_png(canvas)
