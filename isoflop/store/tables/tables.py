"""Studies as run tables: a row a run, a point of a learning curve, or a position."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.runs.table import RunTable
from isoflop.store.index.listing import is_study
from isoflop.store.recording.table import recorded_table
from isoflop.store.study import Study
from isoflop.store.tables.curve_points import curve_points
from isoflop.store.tables.positions import position_table


def tabulate_studies(studies: Sequence[Path | str], *, rows: str = "runs") -> RunTable:
    """Read the runs of one or several studies into one table.

    Args:
        studies: folders; of recorded runs too, for rows of kind `runs`.
        rows: `runs`; `points` of the trunks' learning curves, with the noise scale of gradients
            where it was measured; or `positions`, the losses of every run by position.

    Raises:
        UnknownNameError: rows of another kind.
        InputError: a folder is no study, or has no such rows yet.
    """
    if rows not in _KINDS:
        raise UnknownNameError("kind of rows", rows, list(_KINDS))
    if not studies:
        raise InputError("name at least one study")
    folders = [Path(path) for path in studies]
    if rows == "runs":
        return _all_runs(folders)
    return _TABLES[rows]([Study.open(folder) for folder in folders])


def study_table(folder: Path) -> RunTable:
    """Return the runs of one study, trained from a ladder or recorded.

    Raises:
        InputError: no study there, or no run of it is over.
    """
    if not (folder / "ladder.toml").is_file() and is_study(folder):
        return recorded_table(folder)
    return Study.open(folder).run_table()


def _all_runs(folders: Sequence[Path]) -> RunTable:
    """The runs that are over; where there are several studies, names begin with theirs."""
    if len(folders) == 1:
        return study_table(folders[0])
    records = [
        {**row, "run": f"{folder.resolve().name}/{row['run']}"}
        for folder in folders
        for row in study_table(folder).records()
    ]
    return RunTable.from_records(records, source=", ".join(map(str, folders)))


_TABLES: Mapping[str, Callable[[Sequence[Study]], RunTable]] = {
    "points": curve_points,
    "positions": position_table,
}
_KINDS = ("runs", *_TABLES)
