"""Write the page of the study from its results: nothing on it is typed by hand."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base.atomic import write_atomic
from isoflop.draw.canvas import (
    FAINT,
    INK,
    OKABE_ITO,
    house_style,
    new_panels,
    ordered_colours,
    set_log_axis,
)
from isoflop.draw.render import render_png
from isoflop.draw.series import AxisLabels, widen
from studies.text.parts import PARTS
from studies.text.results import write_cell

LABELS = replace(AxisLabels(), loss="loss (nats/byte)", n_tokens="tokens D (bytes)")
_LOOKS: Mapping[str, Mapping[str, Any]] = {
    "points": {"linestyle": "", "marker": "o"},
    "line": {"linestyle": "-"},
    "joined": {"linestyle": "-", "marker": "o", "markersize": 3.0},
    "dashed": {"linestyle": "--", "linewidth": 1.0},
    "reference": {"linestyle": "-", "marker": "o", "color": INK},
    "faint": {"linestyle": "-", "linewidth": 0.7, "color": FAINT, "zorder": 0},
}
_UNCOLOURED = ("reference", "faint")
_CROWDED = 30
"""Points of one series from which their marks are small."""

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
    blocks = [HEAD.format(size=", ".join(sizes)), *_headline(found.values())]
    for result in found.values():
        blocks.append(_section(result, page))
    missing = [part.name for part in PARTS if part.name not in found]
    if missing:
        blocks.append(f"Not measured yet: {', '.join(missing)}.\n")
    return write_atomic(page, "\n".join(blocks))


def _headline(results: Iterable[dict[str, Any]]) -> list[str]:
    """Every constant that a published one stands beside, in one table; nothing without any."""
    rows = [row for result in results for row in result["headline"]]
    columns = ("amount", "here", "published", "source")
    return ["\n".join([*_table({"columns": columns, "rows": rows}), ""])] if rows else []


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
    colours = _colours([each["label"] for each in series if each["look"] not in _UNCOLOURED])
    named: set[str] = set()
    for each in series:
        crowded = {"markersize": 2.5} if len(each["x"]) > _CROWDED else {}
        style = {"color": colours.get(each["label"], INK), **_LOOKS[each["look"]], **crowded}
        label = None if each["label"] in named else each["label"]
        ax.plot(each["x"], each["y"], label=label, **style)
        named.add(each["label"])
    for axis in ("x", "y"):
        values = np.concatenate([np.asarray(each[axis], dtype=float) for each in series])
        set_log_axis(ax, axis, panel[axis], LABELS, limits=widen(values))
    if panel.get("labels"):
        ax.set(**dict(zip(("xlabel", "ylabel"), panel["labels"], strict=True)))
    ax.set_title(panel["title"])
    _place_legend(ax, len(named))
    return render_png(canvas)


def _colours(labels: Sequence[str]) -> dict[str, Any]:
    """One colour a label; from dark to light where there are more than there are hues."""
    names = list(dict.fromkeys(labels))
    many = len(names) > len(OKABE_ITO) - 1
    colours = ordered_colours(np.arange(1.0, len(names) + 1)) if many else OKABE_ITO
    return dict(zip(names, colours, strict=False))


def _place_legend(ax: Any, entries: int) -> None:
    """Inside where it is short, beside the panel where it would hide what is drawn."""
    beside = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5)}
    ax.legend(**(beside if entries > 4 else {"loc": "best"}))
