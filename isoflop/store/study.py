"""A study is a folder; a run is a folder in it; see docs/formats.md.

::

    STUDY/ladder.toml                    what is trained; its identity is its SHA-256
    STUDY/study.json                     where and how: device, precision, versions
    STUDY/data/                          tokens of the corpus, tokenizer, their hashes
    STUDY/runs/<run>/journal.jsonl       learning curve of one run
    STUDY/runs/<run>/run.json            its row of the run table, committed when it is over
    STUDY/rungs/<rung>/                  checkpoints, trunk journal and timing while training
    STUDY/index.sqlite                   of large studies: quick to list, rebuilt when in doubt
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError
from isoflop.runs.ladders.ladder import Ladder, runs_of
from isoflop.runs.ladders.toml import ladder_hash, print_ladder, read_ladder
from isoflop.runs.table import RunTable
from isoflop.store.begun import begun_ladder, read_settings, refuse_edited, write_settings
from isoflop.store.index.index import INDEX_FROM, read_documents
from isoflop.store.journal import read_journal
from isoflop.store.layout import read_layout
from isoflop.store.leases.lock import exclusive
from isoflop.store.manifest import describe_runs, journal_matches, read_manifest
from isoflop.store.states import state_of_rung


@dataclass(frozen=True)
class Curve:
    """The learning curve of one run.

    Args:
        run: its name.
        rung: its rung.
        seed: its seed.
        n_params: total parameters.
        n_tokens: tokens of the whole run.
        tokens: (n_points,) float, tokens seen at each point.
        loss: (n_points,) float, held-out loss there, nats per token.
        cooled: (n_points,) bool, whether the point lies after the start of the cooldown.
    """

    run: str
    rung: str
    seed: int
    n_params: int
    n_tokens: int
    tokens: NDArray[np.float64]
    loss: NDArray[np.float64]
    cooled: NDArray[np.bool_]


@dataclass(frozen=True)
class Study:
    """A folder with a ladder and what has been trained of it.

    Args:
        path: the folder.
        ladder: what is to be trained.
    """

    path: Path
    ladder: Ladder

    @staticmethod
    def create(path: Path | str, ladder: Ladder) -> "Study":
        """Create the folder, or open it if it already holds this very ladder.

        Raises:
            InputError: the folder holds another ladder, or other files.
        """
        path = Path(path)
        if (path / "ladder.toml").exists():
            study = Study.open(path)
            if study.ladder != ladder:
                raise InputError(
                    f"{path} holds another ladder ({study.ladder.name}, "
                    f"{ladder_hash(study.ladder)[:12]}); choose another folder"
                )
            return study
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(f"{path} exists and is not a study; choose another folder")
        write_atomic(path / "ladder.toml", print_ladder(ladder))
        return Study(path, ladder)

    @staticmethod
    def open(path: Path | str) -> "Study":
        """Open an existing study for reading.

        Raises:
            InputError: no study there, a later release wrote it, or its ladder.toml is not the
                ladder it was begun with.
        """
        path = Path(path)
        _require_study(path)
        ladder = read_ladder(path / "ladder.toml")
        refuse_edited(path, ladder)
        return Study(path, ladder)

    @staticmethod
    def begun(path: Path | str) -> "Study":
        """Open an existing study with the ladder it was begun with, whatever ladder.toml says.

        Raises:
            InputError: no study there, or a later release wrote it.
        """
        path = Path(path)
        _require_study(path)
        return Study(path, begun_ladder(path) or read_ladder(path / "ladder.toml"))

    def run_folder(self, run: str) -> Path:
        """Return the folder of a run."""
        return self.path / "runs" / run

    def rung_folder(self, rung: str) -> Path:
        """Return the folder of a rung's checkpoint, trunk journal and timing."""
        return self.path / "rungs" / rung

    def writing(self) -> AbstractContextManager[None]:
        """Hold the study for writing.

        Raises:
            IsoflopError: another process holds it.
        """
        return exclusive(self.path / "lock", f"study {self.path}")

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Return the manifests of the runs that are over, by run, in the ladder's order."""
        return {row["run"]: row for row in self._rows() if "status" in row}

    def finished(self) -> bool:
        """Tell whether every run is over (finished or diverged)."""
        return len(self.manifests()) == sum(1 for _ in self.ladder.runs())

    def rung_finished(self, rung: str) -> bool:
        """Tell whether every run of one rung is over (finished or diverged)."""
        runs = runs_of(self.ladder.rung(rung), self.ladder.recipe)
        return all(read_manifest(self.run_folder(run.id)) is not None for run in runs)

    def status(self) -> list[dict[str, Any]]:
        """Return one row per run: id, state, n_params, n_tokens, flops, loss, ….

        `state` is `finished` or `diverged` of a run that is over, else that of its rung, with a
        `message` where there is more to say: see `isoflop.store.states.state_of_rung`.
        """
        states: dict[str, dict[str, str]] = {}
        rows = []
        for row in self._rows():
            if "status" in row:
                state = {"state": row["status"]}
            else:
                rung = row["rung"]
                state = states[rung] = states.get(rung) or _state(self.rung_folder(rung))
            rows.append({"id": row["run"], **state, **_without(row, "run", "status")})
        return rows

    def run_table(self) -> RunTable:
        """Return the runs that are over, diverged ones marked by their status.

        Raises:
            RunTableError: no run is over yet.
        """
        rows = [_without(row, *_NOT_COLUMNS) for row in self.manifests().values()]
        return RunTable.from_records(rows, source=str(self.path))

    def curves(self) -> list[Curve]:
        """Return the learning curves of the finished runs.

        Raises:
            InputError: a journal that is not the one its manifest was committed with.
        """
        return [
            _curve(self.run_folder(run), row)
            for run, row in self.manifests().items()
            if row["loss"] is not None
        ]

    def settings(self) -> dict[str, Any]:
        """Return study.json: device, precision and versions; empty before training.

        Raises:
            InputError: the file is damaged.
        """
        return read_settings(self.path)

    def write_settings(self, settings: Mapping[str, Any]) -> None:
        """Commit study.json."""
        write_settings(self.path, self.ladder, settings)

    def _rows(self) -> list[dict[str, Any]]:
        """Return the manifest of every run that is over and the plan of every other, in order."""
        n_runs = sum(rung.members * len(rung.token_budgets) for rung in self.ladder.rungs)
        if n_runs >= INDEX_FROM:
            return read_documents(self.path, lambda: describe_runs(self.ladder))
        planned = describe_runs(self.ladder)
        return [read_manifest(self.run_folder(row["run"])) or row for row in planned]


_NOT_COLUMNS = ("format", "diverged_step", "journal_sha256", "weights_sha256")


def _state(rung: Path) -> dict[str, str]:
    found = state_of_rung(rung)
    return {"state": found.state, **({"message": found.message} if found.message else {})}


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in names}


def _curve(folder: Path, row: Mapping[str, Any]) -> Curve:
    if not journal_matches(folder, row):
        raise InputError(
            f"{folder}: journal.jsonl is not the one run.json was committed with; "
            "delete this run's folder to train it again"
        )
    points = read_journal(folder / "journal.jsonl").records
    return Curve(
        run=row["run"],
        rung=row["rung"],
        seed=row["seed"],
        n_params=row["n_params"],
        n_tokens=row["n_tokens"],
        tokens=np.array([point["tokens"] for point in points], dtype=np.float64),
        loss=np.array([point["loss"] for point in points], dtype=np.float64),
        cooled=np.array([point["phase"] == "cooldown" for point in points], dtype=np.bool_),
    )


def _require_study(path: Path) -> None:
    if not (path / "ladder.toml").is_file():
        raise InputError(f"{path} is not a study: it has no ladder.toml{_hint(path)}")
    read_layout(path)


def _hint(path: Path) -> str:
    """Point those who recorded runs of their own to the commands that read them."""
    if any(path.glob("*/run.json")) or any(path.glob("runs/*/run.json")):
        return "; of recorded runs see `isoflop ladder list` and `isoflop report`"
    return ""
