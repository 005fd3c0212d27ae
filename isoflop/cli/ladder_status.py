"""`isoflop ladder status`: every run and what became of it, once or live."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.cli.ladder_folder import FOLDER, FOLDER_OPTION, find_study
from isoflop.cli.output import format_table, json_option, narrate, show

if TYPE_CHECKING:
    from isoflop.lab.progress.watch import RungView
    from isoflop.store.study import Study

MARKS = {
    "finished": "✔",
    "running": "▶",
    "pending": "·",
    "interrupted": "⚠",
    "budget": "⚠",
}
"""Everything else went wrong: ✘."""
_NAMED = 6
"""Rungs named in one line."""
_QUIET_SECONDS = 30.0
"""How long nothing may be trained before a live view ends."""

_LOOK_SECONDS = 0.25
"""Between two looks for a study that is yet to be made."""


@click.command("status")
@FOLDER
@FOLDER_OPTION
@click.option("--watch", is_flag=True, help="Stay and show progress until nothing is in training.")
@click.option("--every", default=1.0, show_default=True, help="Seconds between looks of --watch.")
@json_option
def command(
    named: Path | None, study: Path | None, watch: bool, every: float, as_json: bool
) -> None:
    """Show every run: ✔ finished, ▶ running, ⚠ interrupted or out of budget, ✘ gone wrong.

    --watch shows a bar a rung with the time left on a terminal, and a line an event elsewhere; it
    reads the study's files, so that it may run on any machine that sees them.

    \b
    Example:
      isoflop ladder status study
      isoflop ladder status study --watch
    \b
    Python:
      isoflop.Study.open("study").status()
    """
    if watch and as_json:
        raise click.UsageError("--watch shows, --json prints once; drop one of them")
    if watch:
        _await(study or named)
    found = find_study("status", named, study)
    if watch:
        watch_study(found, every)
    show_status(found, as_json)


def _await(folder: Path | None) -> None:
    """Wait for a study that is yet to be made, as long as for one that nobody trains."""
    if folder is None or folder.exists():
        return
    narrate(f"waiting {_QUIET_SECONDS:g} seconds for {folder} to be made")
    until = time.monotonic() + _QUIET_SECONDS
    while not (folder / "ladder.toml").is_file() and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)


def mark(state: str) -> str:
    """Return the sign of a state."""
    return MARKS.get(state, "✘")


def show_status(study: "Study", as_json: bool, *, told: str = "") -> None:
    """Print the table of runs; what went wrong is told on standard error, rung by rung.

    Args:
        study: whose runs.
        as_json: print the rows instead.
        told: an error that will be told after it: what it says is not said twice.
    """
    from isoflop.runs.counted import counted

    runs = study.status()
    rows = [
        [
            f"{mark(run['state'])} {run['id']}",
            run["state"],
            f"{run['n_params']:,}",
            f"{run['n_tokens']:,}",
            shorten(run["flops"]),
            "" if run.get("loss") is None else f"{run['loss']:.4f}",
        ]
        for run in runs
    ]
    header = ["run", "state", "parameters", "tokens", "FLOPs", "loss"]
    done = sum(run["state"] == "finished" for run in runs)
    narrate(f"{done} of {counted(len(runs), 'run')} finished")
    said: dict[tuple[str, str], dict[str, None]] = {}
    for run in runs:
        if "message" in run and run["message"] not in told:
            said.setdefault((run["state"], run["message"]), {})[run["rung"]] = None
    for (state, message), rungs in said.items():
        narrate(f"{mark(state)} {_several(list(rungs))} {state}: {message}")
    left_out = sum(mark(run["state"]) == "✘" for run in runs)
    if left_out:
        narrate(f"{counted(left_out, 'run')} marked ✘: no fit takes them unless it is asked to")
    show({"runs": runs}, format_table(header, rows, right=range(2, 6)), as_json=as_json)


def _several(rungs: Sequence[str]) -> str:
    """Name rungs that share a reason, the first of many."""
    if len(rungs) <= _NAMED:
        return ", ".join(rungs)
    return f"{', '.join(rungs[:_NAMED])} and {len(rungs) - _NAMED} more"


def watch_study(study: "Study", every: float) -> None:
    """Show what a study is doing until nobody trains it any more."""
    if not 0.1 <= every <= 3600:
        raise InputError(f"--every is {every:g}, expected .1 to 3600 seconds")
    if not sys.stderr.isatty():
        return _watch_lines(study, every)
    try:
        from isoflop.cli.ladder_live import watch_live
    except ImportError:  # without rich
        return _watch_lines(study, every)
    return watch_live(looks(study, every))


def looks(study: "Study", every: float) -> Iterator[Sequence["RungView"]]:
    """Yield the rungs again and again, until every run is over or nobody trains."""
    from isoflop.lab.progress.watch import Watcher

    watcher, quiet = Watcher(study), time.monotonic()
    while True:
        views = watcher.look()
        yield views
        if all(view.n_over == view.n_runs for view in views):
            return
        if any(view.state == "running" for view in views):
            quiet = time.monotonic()
        if time.monotonic() - quiet > min(_QUIET_SECONDS, 30 * every):
            return
        time.sleep(every)


def _watch_lines(study: "Study", every: float) -> None:
    before: dict[str, tuple[str, int]] = {}
    for views in looks(study, every):
        for view in views:
            now = (view.state, view.n_over)
            if before.get(view.name) != now:
                before[view.name] = now
                message = f": {view.message}" if view.message else ""
                narrate(
                    f"{mark(view.state)} {view.name} {view.state}, {view.n_over} of {view.n_runs} "
                    f"runs over{message}"
                )
