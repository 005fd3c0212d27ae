"""The main job on the embedded default: train a ladder, fit, plan, report."""

import time
from dataclasses import dataclass
from pathlib import Path

from isoflop.lab import probe_machine, run_ladder, tour_ladder
from isoflop.report.study import Reported, report_study
from isoflop.runs.ladders.ladder import Ladder
from isoflop.store.study import Study


@dataclass(frozen=True)
class Tour:
    """What a tour left.

    Args:
        study: its folder.
        reported: the report and the answer.
        trained_seconds: wall-clock of the training of this call; None if nothing was missing.
    """

    study: Path
    reported: Reported
    trained_seconds: float | None

    @property
    def answer(self) -> tuple[str, ...]:
        """The answer in six lines."""
        return self.reported.answer

    @property
    def report(self) -> Path:
        """The page."""
        return self.reported.report

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {"study": str(self.study), **self.reported.to_dict()}


def run_tour(study_path: Path | str, *, minutes: float = 6.0, device: str = "cpu") -> Tour:
    """Train the default ladder in a folder and report on it; call again to resume.

    Args:
        study_path: a new folder, or one where a tour began: its design is kept then.
        minutes: wall-clock allowed for training; the design is sized to it by a short probe.
        device: `cpu` or `cuda`.

    Raises:
        MissingExtraError: torch or matplotlib is not installed.
        InputError: the folder holds something else, or the device is absent.
    """
    path = Path(study_path)
    ladder = _ladder(path, minutes, device)
    began = time.monotonic()
    complete = (path / "ladder.toml").is_file() and Study.open(path).finished()
    run_ladder(ladder, path, device=device)
    seconds = None if complete else time.monotonic() - began
    return Tour(path, report_study(path, path / "report.html"), seconds)


def _ladder(path: Path, minutes: float, device: str) -> Ladder:
    if (path / "ladder.toml").is_file():
        return Study.open(path).ladder
    return tour_ladder(minutes, device, probe=probe_machine(device))
