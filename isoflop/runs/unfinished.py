"""What to do where runs were recorded and none of them was finished."""

from collections.abc import Sequence
from pathlib import Path

from isoflop.runs.counted import counted


def none_finished(folder: Path, names: Sequence[str]) -> str:
    """Say how many recorded runs there are, and how to finish them.

    Args:
        folder: with `runs/NAME`.
        names: of the runs.

    >>> none_finished(Path("mine"), ["w64"])[:53]
    'mine: 1 recorded run, none of them finished; call fin'
    """
    first = folder / "runs" / (names[0] if names else "RUN")
    return (
        f"{folder}: {counted(len(names), 'recorded run')}, none of them finished; call finish() at "
        f'the end of a loop, or now: isoflop.record("{first}", resume=True).finish()'
    )
