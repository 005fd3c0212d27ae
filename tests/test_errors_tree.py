"""The tree drawn in the docstring is the tree of classes."""

import inspect
import re

import pytest

from isoflop.base import errors
from isoflop.base.errors import InputError, IsoflopError, RunTableError, UnknownNameError


def drawn_tree() -> dict[str, str | None]:
    """{class: parent} as the docstring draws it: four characters a level."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^    ([│├└─\s]*)([A-Z]\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    return parents


def real_tree() -> dict[str, str | None]:
    classes = [
        value
        for _, value in inspect.getmembers(errors, inspect.isclass)
        if issubclass(value, IsoflopError)
    ]
    return {
        each.__name__: None if each is IsoflopError else each.__bases__[0].__name__
        for each in classes
    }


def test_the_tree_drawn_is_the_tree_of_classes() -> None:
    assert drawn_tree() == real_tree()


def test_bad_input_exits_with_2_and_everything_else_with_1() -> None:
    for name in real_tree():
        error = getattr(errors, name)
        assert error.exit_code == (2 if issubclass(error, InputError) else 1)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RunTableError("no runs"), "no runs"),
        (RunTableError("no runs", source="runs.csv"), "runs.csv: no runs"),
        (
            RunTableError("found -1", source="runs.csv", row=14, field="loss"),
            "runs.csv row 14 `loss`: found -1",
        ),
        (
            UnknownNameError("law", "chinchila", ["chinchilla", "power"]),
            "unknown law 'chinchila'; did you mean chinchilla?",
        ),
        (UnknownNameError("law", "zzz", ["power", "chi"]), "unknown law 'zzz'; known: chi, power"),
        (UnknownNameError("law", "zzz", []), "unknown law 'zzz'"),
        (
            errors.MissingExtraError("reading Parquet", "parquet"),
            "reading Parquet needs an extra: pip install 'isoflop[parquet]'",
        ),
    ],
)
def test_messages_say_where_and_what(error: IsoflopError, message: str) -> None:
    assert str(error) == message
