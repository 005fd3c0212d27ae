"""The runs of one study or of all studies below a folder, listed and filtered."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.store.index.index import LISTED, read_listed
from isoflop.store.index.run_files import UNFINISHED
from isoflop.store.layout import is_archive, read_layout
from isoflop.store.states import FINISHED
from isoflop.store.states import UNFINISHED as STATES_OF_RUNGS

RUN_STATES = (*FINISHED, UNFINISHED, *STATES_OF_RUNGS)
"""What a listed run may be."""
_DEEPEST = 6
"""Folders below the one named that are searched for studies."""


def list_runs(
    folders: Sequence[Path | str],
    *,
    state: str | None = None,
    match: str = "*",
    family: str = "*",
) -> list[dict[str, Any]]:
    """List the runs of studies, recorded ones too, from their indexes.

    Args:
        folders: studies, or folders with studies anywhere below.
        state: only runs that are `finished`, `diverged`, `unfinished` (recorded runs), or in a
            state of a rung such as `running`, `interrupted` or `pending`; None for all.
        match: only runs with such a name, a pattern of `*`, `?` and `[…]`.
        family: only runs of such a family, likewise.

    Returns:
        One row a run: study, run, state, rung, seed, lr, family, n_params, n_tokens, flops, loss;
        None where it is not known.

    Raises:
        UnknownNameError: no such state.
        InputError: no study there, a later release wrote it, or a run's file is damaged.
    """
    if state is not None and state not in RUN_STATES:
        raise UnknownNameError("state", state, RUN_STATES)
    rows: list[dict[str, Any]] = []
    for folder in folders:
        studies = list(find_studies(Path(folder)))
        if not studies:
            raise InputError(_no_study(Path(folder)))
        for study in studies:
            rows += _rows(study, match, family)
    return rows if state is None else [row for row in rows if row["state"] == state]


def find_studies(folder: Path) -> Iterator[Path]:
    """Yield the studies in a folder and below, by name.

    Folders inside a study are not searched, and archives are none.
    """
    yield from _find(folder, _DEEPEST)


def is_study(folder: Path) -> bool:
    """Tell whether a folder holds a ladder, or runs that were recorded."""
    if (folder / "ladder.toml").is_file():
        return True
    return any((folder / "runs").glob("*/columns.json"))


def _no_study(folder: Path) -> str:
    if is_archive(folder):
        return f"{folder} is an archive; restore it: isoflop ladder restore {folder} -o STUDY"
    return f"{folder}: no study there or below; make one: isoflop ladder run"


def _find(folder: Path, deepest: int) -> Iterator[Path]:
    if is_archive(folder):
        return
    if is_study(folder):
        yield folder
    elif deepest and folder.is_dir():
        with os.scandir(folder) as entries:
            inside = [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
        for name in sorted(entry.name for entry in inside if not entry.name.startswith(".")):
            yield from _find(folder / name, deepest - 1)


def _rows(study: Path, match: str, family: str) -> Iterator[dict[str, Any]]:
    read_layout(study)
    ladder = (study / "ladder.toml").is_file()
    states: dict[str, str] = {}
    keys, name = ("study", "run", "state", *LISTED[2:]), str(study)
    for values in read_listed(study, (lambda: _plan(study)) if ladder else None):
        row = dict(zip(keys, (name, *values), strict=True))
        if match != "*" and not fnmatchcase(row["run"], match):
            continue
        if family != "*" and not fnmatchcase(row["family"] or "", family):
            continue
        if row["state"] is None:
            rung = row["rung"]
            row["state"] = states[rung] = states.get(rung) or _state(study / "rungs" / rung)
        yield row


def _plan(study: Path) -> Iterable[Mapping[str, Any]]:
    # Reading a ladder costs more than listing it: only a rebuilt index asks for it.
    from isoflop.runs.ladders.toml import read_ladder
    from isoflop.store.begun import begun_ladder
    from isoflop.store.manifest import describe_runs

    return describe_runs(begun_ladder(study) or read_ladder(study / "ladder.toml"))


def _state(rung: Path) -> str:
    from isoflop.store.states import state_of_rung

    return state_of_rung(rung).state
