"""Studies as run tables: a row a run, a point of a learning curve, or a position."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.runs.table import RunTable
from isoflop.store.curve_points import curve_points
from isoflop.store.position_table import position_table
from isoflop.store.study import Study


def tabulate_studies(studies: Sequence[Path | str], *, rows: str = "runs") -> RunTable:
    """Read the runs of one or several studies into one table.

    Args:
        studies: folders.
        rows: `runs`; `points` of the trunks' learning curves, with the noise scale of gradients
            where it was measured; or `positions`, the losses of every run by position.

    Raises:
        UnknownNameError: rows of another kind.
        InputError: a folder is no study, or has no such rows yet.
    """
    if rows not in _TABLES:
        raise UnknownNameError("kind of rows", rows, list(_TABLES))
    if not studies:
        raise InputError("name at least one study")
    return _TABLES[rows]([Study.open(path) for path in studies])


def _all_runs(studies: Sequence[Study]) -> RunTable:
    """The runs that are over; where there are several studies, names begin with theirs."""
    if len(studies) == 1:
        return studies[0].run_table()
    records = [
        {**row, "run": f"{study.path.resolve().name}/{row['run']}"}
        for study in studies
        for row in study.run_table().records()
    ]
    source = ", ".join(str(study.path) for study in studies)
    return RunTable.from_records(records, source=source)


_TABLES: Mapping[str, Callable[[Sequence[Study]], RunTable]] = {
    "runs": _all_runs,
    "points": curve_points,
    "positions": position_table,
}
