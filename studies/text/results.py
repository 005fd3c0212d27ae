"""What a part found: tables and panels as plain JSON, so that a page is made of nothing else."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit


@dataclass(frozen=True)
class Table:
    """A table.

    Args:
        title: what it shows.
        columns: heads.
        rows: text, numbers, or estimates as JSON objects.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class Series:
    """Points of one colour.

    Args:
        label: for the legend.
        x: coordinates.
        y: coordinates.
        line: joined, without marks.
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    line: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        name: stem of its file.
        title: what it shows.
        x: run-table column of the x axis.
        y: of the y axis.
        series: what is drawn.
    """

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Result:
    """What a part found.

    Args:
        tables: to print.
        panels: to draw.
        notes: sentences that a reader must know.
    """

    tables: tuple[Table, ...] = ()
    panels: tuple[Panel, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)


def attempt(function: Callable[[], Any]) -> Any:
    """Return what a fit gives, or isoflop's refusal as text: a refusal is a result too.

    Folders of the machine are left out of it.

    >>> def refuse():
    ...     raise IsoflopError("/home/me/out/studies/grid: no budget has four sizes")
    >>> attempt(refuse)
    'refused: grid: no budget has four sizes'
    """
    try:
        return function()
    except IsoflopError as error:
        return f"refused: {_FOLDERS.sub('', str(error))}"


_FOLDERS = re.compile(r"\S*/studies/")


def estimate_cells(found: Any, names: Sequence[str]) -> tuple[Any, ...]:
    """Return the constants of a fit as cells; the refusal and dashes where there is none."""
    if isinstance(found, str):
        return (found, *["–"] * (len(names) - 1))
    amounts = {**found.derived, **found.params} if isinstance(found, Fit) else found.derived
    return tuple(amounts[name].to_dict() if name in amounts else "–" for name in names)


def write_cell(cell: Any) -> str:
    """Write a cell as people of the field do.

    >>> write_cell({"value": 0.51234, "low": 0.48, "high": 0.55, "level": 0.9}), write_cell(2e6)
    ('0.512 [0.480, 0.550]', '2.00e6')
    """
    if isinstance(cell, dict):
        return str(Estimate(cell["value"], cell["low"], cell["high"], cell["level"]))
    if isinstance(cell, float):
        return shorten(cell)
    return str(cell)
