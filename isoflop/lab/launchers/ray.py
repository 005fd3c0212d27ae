"""Rungs as Ray Core tasks, over one machine or a cluster; the extra `ray`.

Ray places the tasks, asks for their CPUs and GPUs, and starts them again elsewhere when a node
dies. The study folder is where everything is written, by the task itself, so every node must see
it under the same path; the driver only reads it. A driver that is killed takes its tasks with it;
run the ladder again to go on.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from isoflop.base.errors import MissingExtraError
from isoflop.lab.engines.choose import Packs
from isoflop.lab.launchers.launcher import OnEvent
from isoflop.lab.launchers.layout import Layout, tasks_layout
from isoflop.lab.launchers.station import ENVIRONMENT, open_station, train_until_over
from isoflop.lab.launchers.study_events import StudyEvents
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.store.leases.holding import LEASE_SECONDS
from isoflop.store.outcome import note_outcome, read_outcome
from isoflop.store.study import Study

_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class RayLauncher:
    """Tasks of a Ray cluster: the one this process is connected to, or the one at `address`.

    Args:
        name: `ray`.
        address: of the cluster; by default the environment's `RAY_ADDRESS` or one on this
            machine, started if there is none.
        cpus: asked for a rung.
        gpus: asked for a rung on a GPU; four small models share one by default.
        max_retries: how often Ray starts a rung again whose node or process died.
        lease_seconds: how long a node may stand still before a retry elsewhere takes its rung.
    """

    name: str = "ray"
    address: str | None = None
    cpus: float = 1.0
    gpus: float = 0.25
    max_retries: int = 3
    lease_seconds: float = LEASE_SECONDS

    @property
    def packs(self) -> Packs:
        """Whether a rung's models may be split into packs."""
        return "any"

    def check(self, ladder: Ladder, rungs: Sequence[Rung], settings: Mapping[str, Any]) -> None:
        """Refuse to begin without Ray.

        See `Conditional.check`.
        """
        _import_ray()

    def layout(self, study: Study, n_rungs: int, workers: int) -> Layout:
        """Return how rungs are spread: a process each, where there is room."""
        return tasks_layout(n_rungs, workers)

    def launch(
        self, study: Study, rungs: Sequence[str], workers: int, on_event: OnEvent
    ) -> list[str]:
        """Train rungs side by side, as many at once as the cluster has room for.

        See `Launcher.launch`; `workers` is the most at once.

        Raises:
            MissingExtraError: Ray is absent.
        """
        return _Tasks(self, study, rungs, on_event).run(workers)


class _Tasks:
    """The tasks of one launch."""

    def __init__(
        self, launcher: RayLauncher, study: Study, rungs: Sequence[str], on_event: OnEvent
    ) -> None:
        self._launcher, self._study, self._on_event = launcher, study, on_event
        self._waiting, self._failures = list(rungs), []
        self._news = StudyEvents(study, rungs)
        self._ray = _connect(launcher.address)
        gpus = launcher.gpus if study.settings()["device"] == "cuda" else 0
        # A process a rung: its memory, its threads and its crash are its own.
        self._remote = self._ray.remote(
            num_cpus=launcher.cpus,
            num_gpus=gpus,
            max_retries=launcher.max_retries,
            max_calls=1,
            runtime_env={"env_vars": ENVIRONMENT},
        )(_train)
        self._running: dict[Any, str] = {}

    def run(self, workers: int) -> list[str]:
        try:
            while self._waiting or self._running:
                while self._waiting and len(self._running) < workers:
                    self._submit(self._waiting.pop(0))
                self._look()
        finally:
            for task in self._running:
                self._ray.cancel(task, force=True)
        return self._failures

    def _submit(self, rung: str) -> None:
        task = self._remote.remote(
            str(self._study.path.resolve()), rung, self._launcher.lease_seconds
        )
        self._running[task] = rung

    def _look(self) -> None:
        """Wait a little; tell what is new on disk, then what became of the tasks that ended."""
        over, _ = self._ray.wait(list(self._running), timeout=_LOOK_SECONDS)
        for rung in self._running.values():
            for event in self._news.look(rung):
                self._on_event(event)
        for task in over:
            self._end(self._running.pop(task), task)
        self._on_event({"event": "tick"})

    def _end(self, rung: str, task: Any) -> None:
        try:
            event: Mapping[str, Any] = self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            folder = self._study.rung_folder(rung)
            outcome = read_outcome(folder)
            line = f"its task was lost ({type(error).__name__})"
            if outcome is None:  # else it says itself why it ended its process
                note_outcome(folder, "crashed", line)
            line = line if outcome is None else outcome["message"]
            event = {"event": "failed", "rung": rung, "message": f"{line}; run again to resume"}
        if event["event"] == "failed":
            self._failures.append(f"rung {rung}: {event['message']}")
        self._on_event(event)


def _train(path: str, rung: str, lease_seconds: float) -> dict[str, Any]:
    """What a task does; what it writes is on disk before it returns."""
    return dict(
        train_until_over(open_station(path), rung, lambda event: None, lease_seconds=lease_seconds)
    )


def _import_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise MissingExtraError("the ray launcher", "ray") from None


def _connect(address: str | None) -> Any:
    ray = _import_ray()
    if not ray.is_initialized():
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    return ray
