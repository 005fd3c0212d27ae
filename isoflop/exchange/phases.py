"""Logs that say in a column of their own whether a row is of training or of held-out text."""

from collections.abc import Mapping, Sequence

from isoflop.exchange.foreign_json import Scalar
from isoflop.runs.counted import counted

_TRAIN = {"train": "train", "training": "train"}
_HELD_OUT = {
    **dict.fromkeys(("eval", "evaluation", "heldout", "held-out", "held_out"), "eval"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    "test": "test",
}
_PHASES = {**_TRAIN, **_HELD_OUT}


def find_phases(rows: Sequence[Mapping[str, Scalar]]) -> str | None:
    """Return the column whose cells tell rows of training from rows of held-out text, if any.

    Args:
        rows: {column: cell} each.

    >>> find_phases([{"split": "train", "loss": 3.1}, {"split": "eval", "loss": 3.3}])
    'split'
    """
    for name in dict.fromkeys(name for row in rows for name in row):
        told = {_word(row.get(name)) for row in rows} - {""}
        if told & _TRAIN.keys() and told & _HELD_OUT.keys() and told <= _PHASES.keys():
            return name
    return None


def name_losses(
    rows: Sequence[Mapping[str, Scalar]], column: str
) -> tuple[list[dict[str, Scalar]], str]:
    """Return the rows with each loss under the name of its phase, and what was done in words.

    Args:
        rows: {column: cell} each.
        column: that tells the phase.

    >>> rows = [{"split": "train", "loss": 3.1}, {"split": "val", "loss": 3.3}]
    >>> name_losses(rows, "split")[0]
    [{'train/loss': 3.1}, {'val/loss': 3.3}]
    """
    named, counts = [], dict[str, int]()
    for row in rows:
        phase = _PHASES.get(_word(row.get(column)), "")
        counts[phase] = counts.get(phase, 0) + 1
        rest = {name: cell for name, cell in row.items() if name != column}
        named.append({_under(name, phase): cell for name, cell in rest.items()})
    said = ", ".join(f"{counted(n, 'row')} {phase or 'without'}" for phase, n in counts.items())
    return named, f"{column!r} tells losses of training from held-out ones: {said}"


def _under(name: str, phase: str) -> str:
    known = any(word in name.lower() for word in _PHASES)
    return f"{phase}/{name}" if phase and "loss" in name.lower() and not known else name


def _word(cell: Scalar) -> str:
    return cell.strip().lower() if isinstance(cell, str) else ""
