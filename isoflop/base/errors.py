"""Every error isoflop raises on purpose.

::

    IsoflopError
    ├── InputError            bad usage or bad input: the command line exits with 2
    │   ├── RunTableError     a run table, naming file, row and field
    │   ├── SpecError         a ladder specification, naming each wrong path
    │   ├── UnknownNameError  a law, column or corpus nobody knows; suggests the nearest
    │   └── MissingExtraError an optional dependency is absent; names the extra
    ├── BudgetError           the next step of training would pass the budget
    ├── HeldError             another process holds what this one wanted to write
    └── RefusalError          the input is fine, the answer would not be: exits with 1
        ├── UnderdeterminedError   fewer runs than parameters, or a direction left free
        └── EdgeOptimumError       the optimum lies at or beyond the edge of the grid

Messages say what was found, what was expected and what to do, in one or two lines.
"""

import difflib
from collections.abc import Iterable, Sequence

MOST_NAMES = 12
"""Names listed in a message before it says that there are more."""


class IsoflopError(Exception):
    """Root of the tree; catch this to catch everything isoflop raises on purpose."""

    exit_code = 1


class InputError(IsoflopError):
    """Bad usage or bad input; nothing was computed."""

    exit_code = 2


class RunTableError(InputError):
    """A run table that cannot be read as asked.

    Args:
        message: what was found, what was expected, what to do.
        source: file the table came from, if any.
        row: 1-based row of runs; the header and blank lines are not counted.
        field: column name.
    """

    def __init__(
        self,
        message: str,
        *,
        source: str | None = None,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        self.source, self.row, self.field = source, row, field
        where = " ".join(
            part
            for part in (
                source or "",
                f"row {row}" if row is not None else "",
                f"`{field}`" if field is not None else "",
            )
            if part
        )
        super().__init__(f"{where}: {message}" if where else message)


class SpecError(InputError):
    """A ladder specification with one or more mistakes, all listed.

    Args:
        message: the whole of it, or, of several `mistakes`, the file they are in.
        mistakes: a sentence each, its path first; of several, a line each.

    >>> print(SpecError("ladder.toml", ["seed is -1, expected 0 or more"]))
    ladder.toml: seed is -1, expected 0 or more
    >>> print(SpecError("ladder.toml", ["corpus is missing", "seed is -1"]))
    ladder.toml: 2 mistakes
      corpus is missing
      seed is -1
    """

    def __init__(self, message: str, mistakes: Sequence[str] = ()) -> None:
        self.mistakes = tuple(mistakes)
        if len(self.mistakes) == 1:
            message = f"{message}: {self.mistakes[0]}"
        elif self.mistakes:
            lines = [f"{message}: {len(self.mistakes)} mistakes", *self.mistakes]
            message = "\n  ".join(lines)
        super().__init__(message)


class UnknownNameError(InputError):
    """A name that is not in a list; the message suggests the nearest one that is."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(f"unknown {kind} {_shortened(name)!r}{did_you_mean(name, self.known)}")


class MissingExtraError(InputError):
    """An optional dependency is absent."""

    def __init__(self, task: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{task} needs an extra: pip install 'isoflop[{extra}]'")


class BudgetError(IsoflopError):
    """Training stopped before it would have passed a limit; what is finished stays."""


class HeldError(IsoflopError):
    """Another process holds a rung, a run or a study, or has taken it over."""


class RefusalError(IsoflopError):
    """The question has no defensible answer on this input."""


class UnderdeterminedError(RefusalError):
    """Fewer runs than parameters, or a direction the design leaves free."""


class EdgeOptimumError(RefusalError):
    """An optimum at or beyond the edge of what was measured."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the tail of a message: the nearest known names, else all of them.

    >>> did_you_mean("chinchila", ["chinchilla", "power"])
    '; did you mean chinchilla?'
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.55)
    if near:
        return f"; did you mean {' or '.join(map(_shortened, near))}?"
    shown = ", ".join(map(_shortened, names[:MOST_NAMES])) + (
        ", …" if len(names) > MOST_NAMES else ""
    )
    return f"; known: {shown}" if names else ""


def _shortened(name: str, width: int = 60) -> str:
    return name if len(name) <= width else f"{name[:width]}…"
