"""Live W&B projects, by a complete scan of every run's history; the one home of the client `wandb`.

Only `scan_history` is read. `history` returns some 500 points of a run, other ones at every call.
The key stays with W&B's own client: it is neither asked for, nor kept, nor repeated here.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.exchange.foreign_json import flatten, number
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.sources.wandb_folder import named_once

PREFIX = "wandb:"
_ADDRESS = re.compile(r"wandb:/*([\w.-]+)/([\w. -]+)(?:/([\w-]+))?", re.ASCII)
TIMEOUT = 60
"""Seconds for which W&B's client waits for an answer."""
PAGE = 10_000
"""Rows a request."""
WAITS = (2.0, 8.0, 30.0)
"""Seconds before a refused request is sent again; then the import ends."""
_BUSY = re.compile(r"\b(429|502|503|504)\b|rate limit|too many requests|timed? ?out", re.I)

T = TypeVar("T")
Points = dict[str, tuple[list[float], list[float]]]


def is_address(source: str) -> bool:
    """Tell whether a source is a live project: `wandb:ENTITY/PROJECT`, or one run of it.

    >>> is_address("wandb:team/ladder"), is_address("wandb/run-1")
    (True, False)
    """
    return source.startswith(PREFIX)


def read_project(address: str) -> Found:
    """Read every run of a project, or one run: settings, state, summary and whole history.

    Args:
        address: `wandb:ENTITY/PROJECT` or `wandb:ENTITY/PROJECT/RUN_ID`.

    Raises:
        InputError: another form of address, no such project, not logged in, or W&B refuses still.
        MissingExtraError: the client is not installed.
    """
    found = _ADDRESS.fullmatch(address)
    if found is None:
        raise InputError(f"{address[:80]!r}: expected wandb:ENTITY/PROJECT or …/RUN_ID")
    entity, project, run_id = found.groups()
    api = _open(address)
    if run_id:
        listed = [_asked(address, lambda: api.run(f"{entity}/{project}/{run_id}"))]
    else:
        listed = _asked(address, lambda: list(api.runs(f"{entity}/{project}")))
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    n_read = 0
    for listed_run in listed:
        run, count, bad = _asked(address, lambda each=listed_run: _read_run(each))
        runs.append(run)
        refused += bad
        n_read += count
    notes = [f"complete history scan of {len(runs)} runs of {entity}/{project}"]
    still = sum(run.status == "running" for run in runs)
    notes += [f"{still} runs are not over yet"] if still else []
    return Found("W&B project", named_once(runs), n_read, "points", tuple(refused), tuple(notes))


def _open(address: str) -> Any:
    try:
        import wandb  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise MissingExtraError("reading a live W&B project", "wandb") from None
    return _asked(address, lambda: wandb.Api(timeout=TIMEOUT))


def _asked(address: str, ask: Callable[[], T]) -> T:
    """Ask W&B; wait and ask again while it is busy, and no more than `WAITS` says."""
    for wait in (*WAITS, None):
        try:
            return ask()
        except InputError:
            raise
        except Exception as error:  # the client raises its own, requests' and plain ValueErrors
            if wait is None or not _BUSY.search(str(error)):
                raise _refusal(address, error) from None
        time.sleep(wait)
    raise AssertionError("unreachable")


def _refusal(address: str, error: Exception) -> InputError:
    """One line of our own: a client's message may repeat a request, its headers or a key."""
    text = str(error)
    if _BUSY.search(text):
        why = f"W&B is busy, asked {len(WAITS) + 1} times; try again later"
    elif re.search(r"could not find|not found|404", text, re.I):
        why = "no such project or run, or it is not yours to read"
    elif re.search(r"api.?key|log ?in|auth|permission|40[13]", text, re.I):
        why = "W&B refused the login; run `wandb login` or set WANDB_API_KEY"
    else:
        why = f"W&B cannot be read ({type(error).__name__})"
    return InputError(f"{address}: {why}")


def _read_run(run: Any) -> tuple[SourceRun, int, list[Refused]]:
    name = str(run.name or run.id)
    points, without_step = _points(run.scan_history(page_size=PAGE))
    curves, twice = collect_series(points, where=name)
    summary = {n: v for n, v in flatten(dict(run.summary_metrics)).items() if number(v) is not None}
    last = number(run.lastHistoryStep)
    refused = list(twice)
    if without_step:
        refused.append(Refused(name, "rows of history without a step", without_step))
    read = SourceRun(
        name,
        flatten(dict(run.config)),
        curves,
        summary,
        last if last is not None and last >= 0 else None,
        str(run.state).lower(),
    )
    return read, sum(len(steps) for steps, _ in points.values()), refused


def _points(rows: Iterator[dict[str, Any]]) -> tuple[Points, int]:
    """Return {metric: (steps, values)}, and how many rows have no step."""
    points: Points = {}
    without = 0
    for row in rows:
        step = number(row.get("_step"))
        if step is None or not abs(step) < 1e18:
            without += 1
            continue
        for name, cell in flatten(row).items():
            amount = number(cell)
            if amount is not None:
                steps, values = points.setdefault(name, ([], []))
                steps.append(step)
                values.append(amount)
    return points, without
