"""What a part found: tables and panels as plain JSON, so that a page is made of nothing else."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

import isoflop
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


Look = Literal["points", "line", "joined", "dashed", "reference", "faint"]


@dataclass(frozen=True)
class Series:
    """Points of one colour.

    Args:
        label: for the legend; series of one label have one colour and one entry.
        x: coordinates.
        y: coordinates.
        look: `points`, `line`, `joined` (points on a line), `dashed`, `reference` (joined, in ink:
            what the others are held against) or `faint` (a thin grey line, for what stands behind).
    """

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    look: Look = "points"


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        name: stem of its file.
        title: what it shows.
        x: run-table column of the x axis.
        y: of the y axis.
        series: what is drawn.
        labels: of the axes, where the columns' own names say too little.
    """

    name: str
    title: str
    x: str
    y: str
    series: tuple[Series, ...]
    labels: tuple[str, str] | None = None


@dataclass(frozen=True)
class Result:
    """What a part found.

    Args:
        tables: to print.
        panels: to draw.
        notes: sentences that a reader must know.
        headline: (amount, here, published, where published) rows of the table on top of the page.
    """

    tables: tuple[Table, ...] = ()
    panels: tuple[Panel, ...] = ()
    notes: tuple[str, ...] = ()
    headline: tuple[tuple[Any, ...], ...] = ()

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


def fitted_line(found: Any, variable: str, x: Sequence[float], label: str) -> tuple[Series, ...]:
    """Return the law of one variable over the range of x; nothing where the fit was refused."""
    if not isinstance(found, Fit):
        return ()
    at = np.geomspace(min(x), max(x), 60)
    y = found.law.predict(found.theta, {variable: at})
    return (Series(label, tuple(map(float, at)), tuple(map(float, y)), look="line"),)


def slope_line(
    x: Sequence[float], y: Sequence[float], power: float, label: str
) -> tuple[Series, ...]:
    """Return y ∝ x^power over the range of x through the points' middle: a published slope."""
    if len(x) < 2:
        return ()
    middle = np.exp(np.mean(np.log(y)) - power * np.mean(np.log(x)))
    ends = (float(min(x)), float(max(x)))
    return (Series(label, ends, tuple(float(middle * end**power) for end in ends), look="dashed"),)


def headline_row(amount: str, found: Any, name: str, published: str, key: str) -> tuple[Any, ...]:
    """Return a row of the page's first table: a constant found here beside a published one."""
    there = isoflop.find_published(published).params[key]
    return (amount, *estimate_cells(found, (name,)), there, published)


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
