"""What became of the runs of a rung that are not over: one state for all of them."""

from dataclasses import dataclass
from pathlib import Path

from isoflop.store.leases.holding import read_holding
from isoflop.store.outcome import STATES, read_outcome

FINISHED = ("finished", "diverged")
"""States of runs that are over, as run.json has them."""
UNFINISHED = ("running", *STATES, "pending")
"""States of runs that are not."""


@dataclass(frozen=True)
class RungState:
    """Why a rung has runs that are not over.

    Args:
        state: one of `UNFINISHED`.
        message: a line on it, empty where the state says all.
    """

    state: str
    message: str = ""


def state_of_rung(folder: Path) -> RungState:
    """Return the state of a rung by its files alone.

    `running` while a live process holds it; then what its outcome.json says; `interrupted` if
    training began and nobody said why it stopped, as after SIGKILL; else `pending`.

    Args:
        folder: of the rung.

    Raises:
        InputError: a damaged file.
    """
    holding = read_holding(folder)
    if not holding.free:
        return RungState("running", holding.describe())
    outcome = read_outcome(folder)
    if outcome is not None:
        return RungState(outcome["state"], outcome["message"])
    # One level down where every budget has a trunk of its own.
    if any(folder.glob("journal.jsonl")) or any(folder.glob("*/journal.jsonl")):
        return RungState("interrupted", "its process ended without a word")
    return RungState("pending")
