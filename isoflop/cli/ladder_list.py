"""`isoflop ladder list`: the runs of one or many studies, filtered."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from isoflop.base.estimate import shorten
from isoflop.cli.output import format_table, json_option, narrate, show


@click.command("list")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--state", help="Such as finished, pending or oom; a wrong one names them all.")
@click.option("--match", default="*", help='Names of runs, such as "d64-*".')
@click.option("--family", default="*", help='Families, such as "*lstm*".')
@json_option
def command(
    folders: tuple[Path, ...], state: str | None, match: str, family: str, as_json: bool
) -> None:
    """List the runs of studies, recorded ones too, or of all studies below a folder.

    \b
    Example:
      isoflop ladder list study
      isoflop ladder list . --state diverged
    \b
    Python:
      isoflop.list_runs(["."], state="diverged")
    """
    from isoflop.runs.counted import counted
    from isoflop.store.index.listing import list_runs

    rows = list_runs(folders, state=state, match=match, family=family)
    studies = {row["study"] for row in rows}
    if rows or (state, match, family) == (None, "*", "*"):
        narrate(f"{counted(len(rows), 'run')}, {counted(len(studies), 'study folder')}")
    else:
        narrate(_nothing(list_runs(folders), state=state, match=match, family=family))
    header = ["run", "state", "family", "parameters", "tokens", "FLOPs", "loss"]
    cells = [
        [
            row["run"],
            row["state"],
            row["family"] or "",
            _count(row["n_params"]),
            _count(row["n_tokens"]),
            "" if row["flops"] is None else shorten(row["flops"]),
            "" if row["loss"] is None else f"{row['loss']:.4f}",
        ]
        for row in rows
    ]
    if len(studies) > 1:
        header = ["study", *header]
        cells = [[row["study"], *cell] for row, cell in zip(rows, cells, strict=True)]
    numbers = range(len(header) - 4, len(header))
    show({"runs": rows}, format_table(header, cells, right=numbers), as_json=as_json)


def _nothing(every: Iterable[Mapping[str, Any]], **asked: str | None) -> str:
    """Say that no run is as asked for, and what runs there are."""
    from isoflop.runs.counted import counted

    states = Counter(row["state"] for row in every)
    told = [f"--{name} {value!r}" for name, value in asked.items() if value not in (None, "*")]
    there = ", ".join(f"{number} {state}" for state, number in states.most_common())
    runs = counted(states.total(), "run")
    return f"no run matches {' and '.join(told)}; there are {runs}: {there}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
