"""A trainer on a budget: asks before every stretch of training, and counts evaluation apart."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.accounting.flops import flops_per_token
from isoflop.lab.limits.budget import allow_stretch
from isoflop.lab.loop import AnyTrainer, Segment
from isoflop.lab.measures.noise_scale import GROUPS, NoiseScale
from isoflop.lab.schedule import Branch, Schedule
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.settle import settle_recipe
from isoflop.store.spent import Spent, add_spent, read_limits
from isoflop.store.study import Study


class Metered:
    """A trainer whose work is added to the study's sum before it is done.

    Args:
        trainer: what trains.
        study: whose limits hold.
        rung: what is trained.
        schedule: of the trunk: up to which step the next run needs training.
    """

    def __init__(self, trainer: AnyTrainer, study: Study, rung: Rung, schedule: Schedule) -> None:
        self._trainer, self._study, self._rung = trainer, study, rung
        self._limits = read_limits(study.path)
        self._branches = schedule.branches
        batch = settle_recipe(study.ladder.recipe, rung).batch_tokens
        self._token_flops = flops_per_token(rung.architecture).matmul
        self._step_flops = rung.members * batch * self._token_flops
        self._step_seconds = 0.0

    @property
    def optimizer(self) -> Any:
        """Weights and moments."""
        return self._trainer.optimizer

    @property
    def spread(self) -> Mapping[str, Any]:
        """How the work is spread."""
        return self._trainer.spread

    def advance(
        self,
        first: int,
        last: int,
        lr_at: Callable[[int], float],
        on_steps: Callable[[int], None] = lambda steps: None,
    ) -> Segment:
        """Train, if the budget reaches to the end of the run that these steps lead to.

        Raises:
            BudgetError: it does not; nothing was trained.
        """
        needed = steps_to_next_run(self._branches, first, last)
        self._add(last - first, needed)
        begun = time.monotonic()
        segment = self._trainer.advance(first, last, lr_at, on_steps)
        self._step_seconds = (time.monotonic() - begun) / max(1, last - first)
        return segment

    def held_out(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K,) held-out losses."""
        self._count(windows, share=1 / 3)
        return self._trainer.held_out(windows)

    def position_losses(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K, n_ctx) held-out losses by position."""
        self._count(windows, share=1 / 3)
        return self._trainer.position_losses(windows)

    def noise(self, windows: torch.Tensor) -> list[NoiseScale]:
        """Return the K gradient noise scales."""
        used = windows[: len(windows) // GROUPS * GROUPS]
        self._count(used, share=1 / self._rung.members)  # a model reads its own share
        return self._trainer.noise(windows)

    def _count(self, windows: torch.Tensor, share: float) -> None:
        """A forward pass costs a third of training; every model reads all held-out windows."""
        context = self._rung.architecture.n_ctx
        tokens = windows.numel() // (context + 1) * context
        flops = self._rung.members * tokens * share * self._token_flops
        add_spent(self._study.path, Spent(evaluation_flops=flops))

    def _add(self, steps: int, needed: int) -> None:
        def allow(spent: Spent) -> None:
            flops, seconds = needed * self._step_flops, needed * self._step_seconds
            what = f"the next run of {self._rung.name}"
            allow_stretch(self._limits, spent, flops=flops, seconds=seconds, what=what)

        add_spent(self._study.path, Spent(flops=steps * self._step_flops), allow)


def steps_to_next_run(branches: tuple[Branch, ...], first: int, last: int) -> int:
    """Return the steps from `first` until a run is over, if `first` … `last` is trained next.

    >>> branches = (Branch(80, 100), Branch(160, 200))
    >>> steps_to_next_run(branches, 64, 80), steps_to_next_run(branches, 80, 100)
    (36, 20)
    """
    if any((first, last) == (branch.start, branch.end) for branch in branches):
        return last - first
    ends = [branch.end for branch in branches if branch.start >= last]
    return max(last, *ends[:1]) - first if ends else last - first
