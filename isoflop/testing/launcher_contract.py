"""The contract every launcher keeps, as tests to inherit; it runs under pytest, never imports it.

A launcher of your own is checked by five lines in your tests::

    from isoflop.testing.launcher_contract import LauncherContract

    class TestMyLauncher(LauncherContract):
        def make_launcher(self):
            return MyLauncher()

It trains ladders of seconds on the embedded corpus and needs the extra `train`.
"""

import hashlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from isoflop.accounting.architecture import Architecture
from isoflop.lab.launchers.launcher import Launcher
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.training import prepare_study
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.store.leases.holding import read_holding
from isoflop.store.leases.process import ProcessIdentity, known_dead
from isoflop.store.study import Study

QUICK = (8192, 16384)
SLOW = (8192, 98304)
"""Token budgets: the second of these takes a second or two, time enough to be killed in."""


class LauncherContract:
    """Tests of one launcher; subclass it as `TestSomething` and override `make_launcher`."""

    workers: ClassVar[int] = 2
    patience_seconds: ClassVar[float] = 300.0
    """How long a worker may take to begin, and the launcher to notice that it died."""
    slow: ClassVar[tuple[int, ...]] = SLOW
    """Token budgets to be interrupted in; raise the second where runs are noticed late."""
    _whole: ClassVar[dict[tuple[int, ...], Mapping[str, str]]] = {}

    def make_launcher(self) -> Launcher:
        """Return the launcher to be tested."""
        raise NotImplementedError("override make_launcher")

    def kill_worker(self, process: ProcessIdentity) -> None:
        """Kill the process that trains a rung, as the machine would; override it elsewhere."""
        os.kill(process.pid, signal.SIGKILL)

    def leftovers(self) -> list[str]:
        """Return what of the launcher is still at work; add to it what your engine can tell."""
        return []

    def test_it_has_a_name(self) -> None:
        """The name it is asked for by: one lower-case word."""
        launcher = self.make_launcher()
        assert isinstance(launcher, Launcher)
        assert launcher.name
        assert launcher.name == launcher.name.lower().strip()

    def test_every_rung_is_trained_to_the_bytes_of_a_lone_local_worker(
        self, tmp_path: Path
    ) -> None:
        """All runs are over, no failure is told, and who launched it cannot be seen."""
        study = make_study(tmp_path)
        assert self._launch(study) == []
        assert study.finished()
        assert lasting_bytes(study) == self._reference(QUICK)

    def test_events_tell_every_step_run_and_rung(self, tmp_path: Path) -> None:
        """One `run` a run with its loss, one `done` a rung, steps that add up to something."""
        study, events = make_study(tmp_path), []
        self._launch(study, events)
        runs = [event for event in events if event["event"] == "run"]
        assert sorted(event["run"] for event in runs) == sorted(study.manifests())
        for event in runs:
            assert event["loss"] == study.manifests()[event["run"]]["loss"]
        done = [event["rung"] for event in events if event["event"] == "done"]
        assert sorted(done) == ["d4", "d8"]
        for rung in done:
            steps = [e["steps"] for e in events if e["event"] == "steps" and e["rung"] == rung]
            assert sum(steps) > 0

    def test_a_rung_that_fails_is_named_and_the_others_go_on(self, tmp_path: Path) -> None:
        """One sentence for the failure, one `failed` event, and the other rung is finished."""
        study, events = make_study(tmp_path), []
        (study.rung_folder("d8") / "journal.jsonl").mkdir(parents=True)  # cannot be written
        failures = self._launch(study, events)
        assert len(failures) == 1, failures
        assert "d8" in failures[0]
        assert [event["rung"] for event in events if event["event"] == "failed"] == ["d8"]
        assert study.rung_finished("d4")
        assert not study.rung_finished("d8")

    def test_a_killed_worker_is_reported_or_replaced_and_nothing_is_trained_twice(
        self, tmp_path: Path
    ) -> None:
        """Finished runs are never written again; what the kill cost is made up for, bit for bit."""
        study = make_study(tmp_path, self.slow)
        killed: list[ProcessIdentity] = []
        with self._killing(study, "d8", killed):
            failures = self._launch(study)
        assert killed, "no worker began the rung in time"
        assert study.rung_finished("d4")
        assert failures or study.rung_finished("d8"), "a killed worker was passed over in silence"
        assert all("d8" in failure for failure in failures)
        before = file_identities(study)
        assert self._launch(study) == []
        assert file_identities(study).items() >= before.items()
        assert lasting_bytes(study) == self._reference(self.slow)

    def test_resuming_trains_only_what_is_missing(self, tmp_path: Path) -> None:
        """A finished rung is not begun; a finished run of an unfinished rung is not written."""
        study, events = make_study(tmp_path), []
        self._launch(study)
        (study.run_folder("d8-s0-t16384") / "run.json").unlink()
        before = file_identities(study)
        assert self._launch(study, events) == []
        assert [e["run"] for e in events if e["event"] == "run"] == ["d8-s0-t16384"]
        assert file_identities(study).items() >= before.items()
        assert lasting_bytes(study) == self._reference(QUICK)

    def test_nothing_is_left_running(self, tmp_path: Path) -> None:
        """Whatever happened, when `launch` returns nobody holds a rung."""
        study = make_study(tmp_path)
        (study.rung_folder("d8") / "journal.jsonl").mkdir(parents=True)
        self._launch(study)
        assert [name for name in ("d4", "d8") if read_holding(study.rung_folder(name)).owner] == []
        assert self.leftovers() == []

    def test_an_interrupt_of_the_driver_ends_every_worker(self, tmp_path: Path) -> None:
        """An exception in mid-work goes through, leaves nobody at work, and can be resumed."""
        study = make_study(tmp_path, self.slow)

        def stop(event: Mapping[str, Any]) -> None:
            if event["event"] == "run":
                raise KeyboardInterrupt

        interrupted = False
        try:
            self.make_launcher().launch(study, ["d8", "d4"], self.workers, stop)
        except KeyboardInterrupt:
            interrupted = True
        assert interrupted
        wait_until(lambda: not _held(study), self.patience_seconds)
        assert self.leftovers() == []
        assert not study.finished()
        assert self._launch(study) == []
        assert lasting_bytes(study) == self._reference(self.slow)

    def _launch(self, study: Study, events: list[Mapping[str, Any]] | None = None) -> list[str]:
        missing = [name for name in ("d8", "d4") if not study.rung_finished(name)]
        heard = events.append if events is not None else lambda event: None
        return self.make_launcher().launch(study, missing, self.workers, heard)

    @contextmanager
    def _killing(self, study: Study, rung: str, killed: list[ProcessIdentity]) -> Iterator[None]:
        """Kill the worker of a rung once its first run is over, from another thread."""
        first = study.run_folder(f"{rung}-s0-t{self.slow[0]}") / "run.json"

        def kill() -> None:
            wait_until(first.exists, self.patience_seconds)
            process = read_holding(study.rung_folder(rung)).process
            if process is not None:
                self.kill_worker(process)
                killed.append(process)

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        yield
        thread.join(self.patience_seconds)

    @classmethod
    def _reference(cls, budgets: tuple[int, ...]) -> Mapping[str, str]:
        """Bytes of the ladder trained by one local worker, in one go."""
        if budgets not in LauncherContract._whole:
            with tempfile.TemporaryDirectory() as folder:
                study = make_study(Path(folder), budgets)
                assert LocalLauncher().launch(study, ["d8", "d4"], 1, lambda event: None) == []
                LauncherContract._whole[budgets] = lasting_bytes(study)
        return LauncherContract._whole[budgets]


def make_study(folder: Path, budgets: tuple[int, ...] = QUICK) -> Study:
    """Prepare a study of two rungs of one seed; nothing is trained."""
    shape: dict[str, Any] = {"n_layer": 1, "n_head": 1, "n_ctx": 16, "n_vocab": 256, "tied": False}
    rungs = tuple(
        Rung(f"d{width}", Architecture(d_model=width, **shape), 1, budgets) for width in (4, 8)
    )
    recipe = Recipe(batch_tokens=128, lr=0.01, precision="float32")
    evaluation = Evaluation(tokens=1024, curve_tokens=256)
    ladder = Ladder("contract", "sotu", "bytes", rungs, recipe, evaluation)
    return prepare_study(ladder, folder / "study")


def lasting_bytes(study: Study) -> dict[str, str]:
    """SHA-256 of every journal, manifest and checkpoint of a study."""
    names = [*study.path.rglob("journal.jsonl"), *study.path.rglob("run.json")]
    names += study.path.rglob("*.safetensors")
    return {
        str(name.relative_to(study.path)): hashlib.sha256(name.read_bytes()).hexdigest()
        for name in names
    }


def file_identities(study: Study) -> dict[str, tuple[int, int]]:
    """Inode and time of every finished run's manifest: a run written again has others."""
    found = ((run, (study.run_folder(run) / "run.json").stat()) for run in study.manifests())
    return {run: (stat.st_ino, stat.st_mtime_ns) for run, stat in found}


def wait_until(condition: Any, seconds: float) -> None:
    """Wait for a condition; an AssertionError if it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} seconds"
        time.sleep(0.02)


def _held(study: Study) -> bool:
    holdings = [read_holding(study.rung_folder(name)) for name in ("d4", "d8")]
    return any(h.owner and h.process and not known_dead(h.process) for h in holdings)
