"""What a study has spent, and what it may spend: two small files that every worker shares.

`budget.json` holds the limits of the last `run` or `resume`; `spent.json` the sums since the study
began. A worker adds what it is about to spend before it spends it, under a kernel lock that dies
with its holder: a killed worker's sums are too high by one stretch of training, never too low.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.store.document import FORMAT, Kinds, read_document

_NUMBER = (int, float)


@dataclass(frozen=True)
class Limits:
    """What a study may spend in all, and one rung at a time; None where there is no limit.

    Args:
        flops: training FLOPs: brackets, cooldowns and repeated work count, evaluation does not.
        seconds: wall-clock of every `run` and `resume` together.
        dollars: at `dollars_per_hour` of that wall-clock.
        dollars_per_hour: price of the machine, or of all machines of a cluster together.
        rung_seconds: wall-clock of one rung, from its start in a worker.
        silence_seconds: how long a worker may take no step.
    """

    flops: float | None = None
    seconds: float | None = None
    dollars: float | None = None
    dollars_per_hour: float | None = None
    rung_seconds: float | None = None
    silence_seconds: float | None = None


@dataclass(frozen=True)
class Spent:
    """What a study has spent since it began.

    Args:
        flops: training FLOPs, counted before each stretch of training.
        evaluation_flops: forward passes on held-out tokens, and gradients for the noise scale.
        seconds: wall-clock of every `run` and `resume`.
        dollars: of those, at the price of each.
    """

    flops: float = 0.0
    evaluation_flops: float = 0.0
    seconds: float = 0.0
    dollars: float = 0.0

    def plus(self, other: "Spent") -> "Spent":
        """Return the sums."""
        mine, theirs = asdict(self), asdict(other)
        return Spent(**{name: mine[name] + theirs[name] for name in mine})


def read_limits(study: Path) -> Limits:
    """Return the limits of a study, none if none were given.

    Raises:
        InputError: budget.json is damaged.
    """
    path = study / "budget.json"
    if not path.exists():
        return Limits()
    needed: Kinds = {each.name: (*_NUMBER, type(None)) for each in fields(Limits)}
    document = read_document(path, needed, "delete it and give the limits again")
    return Limits(**{each.name: document[each.name] for each in fields(Limits)})


def write_limits(study: Path, limits: Limits) -> None:
    """Commit the limits of this `run` or `resume`."""
    document = {"format": FORMAT, **asdict(limits)}
    write_atomic(study / "budget.json", strict_json.dumps(document, indent=1) + "\n")


def read_spent(study: Path) -> Spent:
    """Return what a study has spent, nothing if it has not begun.

    Raises:
        InputError: spent.json is damaged.
    """
    path = study / "spent.json"
    if not path.exists():
        return Spent()
    needed: Kinds = {each.name: _NUMBER for each in fields(Spent)}
    document = read_document(path, needed, "delete it: what was spent before is then forgotten")
    return Spent(**{each.name: document[each.name] for each in fields(Spent)})


def add_spent(study: Path, more: Spent, allow: Callable[[Spent], None] | None = None) -> Spent:
    """Add to what a study has spent, if that is allowed.

    Args:
        study: its folder.
        more: to be added.
        allow: asked with what is spent already; raises to refuse, and nothing is added.

    Returns:
        The new sums.
    """
    with _turn(study / "spent.lock"):
        spent = read_spent(study)
        if allow is not None:
            allow(spent)
        total = spent.plus(more)
        document = {"format": FORMAT, **asdict(total)}
        write_atomic(study / "spent.json", strict_json.dumps(document, indent=1) + "\n")
    return total


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
