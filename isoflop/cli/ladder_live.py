"""The live view of `isoflop ladder status --watch` on a terminal; needs `rich`."""

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from isoflop.cli.ladder_status import mark
from isoflop.lab.progress.progress import clock
from isoflop.lab.progress.watch import RungView, ladder_seconds_left


def watch_live(looks: Iterable[Sequence[RungView]]) -> None:
    """Draw every look over the one before."""
    with Live(console=Console(file=sys.stderr), auto_refresh=False) as live:
        for views in looks:
            live.update(_table(views), refresh=True)


def _table(views: Sequence[RungView]) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in ("rung", "state", "runs", "", "left", ""):
        table.add_column(title, justify="right" if title in ("runs", "left") else "left")
    for view in views:
        left = "" if view.seconds_left is None else clock(view.seconds_left)
        table.add_row(
            f"{mark(view.state)} {view.name}",
            view.state,
            f"{view.n_over}/{view.n_runs}",
            ProgressBar(total=1.0, completed=view.share, width=24),
            left,
            view.message,
        )
    whole, left = sum(view.share for view in views) / len(views), ladder_seconds_left(views)
    runs = f"{sum(view.n_over for view in views)}/{sum(view.n_runs for view in views)}"
    bar = ProgressBar(total=1.0, completed=whole, width=24)
    table.add_row("ladder", "", runs, bar, "" if left is None else clock(left), "")
    return table
