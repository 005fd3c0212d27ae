"""The training loop of one pack: steps in, mean losses and first divergences out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.engines.engine import Steps
from isoflop.lab.engines.step_losses import make_step
from isoflop.lab.measures.evaluate import held_out_loss, position_losses
from isoflop.lab.measures.noise_scale import measure_noise
from isoflop.lab.models.dropout import Dropout
from isoflop.lab.models.families import build_model
from isoflop.lab.models.pack import make_pack
from isoflop.lab.recipes.optimizers import make_optimizer, rate_factors
from isoflop.runs.ladders.ladder import Recipe, Rung
from isoflop.runs.settle import settle_recipe

CHUNK = 64
"""Steps whose tokens are fetched, and whose losses are looked at, together."""


@dataclass(frozen=True)
class Segment:
    """What some steps of training gave.

    Args:
        train_loss: (K,) mean training loss of these steps, nats per token.
        diverged: model → step of its first loss that was not a number.
    """

    train_loss: NDArray[np.float64]
    diverged: dict[int, int]


class State(Protocol):
    """What a checkpoint holds of an optimizer."""

    def state(self) -> dict[str, torch.Tensor]:
        """Return copies of everything a later step depends on."""
        ...

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Put back what `state` returned."""
        ...


class AnyTrainer(Protocol):
    """What trains a rung: `Trainer`, or the leader of several ranks."""

    @property
    def optimizer(self) -> State:
        """Weights and moments."""
        ...

    @property
    def spread(self) -> Mapping[str, Any]:
        """How the work is spread, as the timing records tell it; empty for one process."""
        ...

    def advance(
        self,
        first: int,
        last: int,
        lr_at: Callable[[int], float],
        on_steps: Callable[[int], None] = ...,
    ) -> Segment:
        """Train steps `first` … `last − 1`, at rate `lr_at(step)`."""
        ...

    def held_out(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K,) held-out losses."""
        ...

    def position_losses(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K, n_ctx) held-out losses by position."""
        ...

    def noise(self, windows: torch.Tensor) -> list[NoiseScale]:
        """Return the K gradient noise scales."""
        ...


class Trainer:
    """K models of one rung, trained side by side.

    Args:
        rung: shape, number of seeds and learning rates.
        recipe: batch, learning rate, optimizer.
        streams: one training stream per model.
        seeds: (root, index) of each model.
        device: where it runs.
        dtype: type of the matrix products.
        members: which of the rung's models these are; all by default.
        steps: kind of step.
    """

    def __init__(
        self,
        rung: Rung,
        recipe: Recipe,
        streams: Sequence[TokenStream],
        *,
        seeds: list[tuple[int, int]],
        device: torch.device,
        dtype: torch.dtype,
        members: slice = slice(None),
        steps: Steps = "eager",
    ) -> None:
        recipe = settle_recipe(recipe, rung)
        self._streams, self._device = streams, device
        self._rows = recipe.batch_tokens // rung.architecture.n_ctx
        placed = {"base_width": recipe.base_width, "device": device, "dtype": dtype}
        self._seeds, self._dropout = seeds, rung.dropout
        self._model = build_model(rung.architecture, **placed)
        self._pack = make_pack(rung.architecture, seeds, **placed)
        self.spread: Mapping[str, Any] = {}
        self._losses = make_step(steps, self._model, self._pack)
        factors = rate_factors(rung, device)
        factors = None if factors is None else factors[members]
        self.optimizer = make_optimizer(self._pack, recipe, factors)

    def advance(
        self,
        first: int,
        last: int,
        lr_at: Callable[[int], float],
        on_steps: Callable[[int], None] = lambda steps: None,
    ) -> Segment:
        """Train steps `first` … `last − 1`, at rate `lr_at(step)`.

        Args:
            first: steps taken before.
            last: steps taken after.
            lr_at: learning rate of a step.
            on_steps: told now and then how many more steps have been taken.
        """
        losses = [np.empty((0, len(self._streams)))]
        for start, stop in chunks(first, last):
            steps = [
                self._step(step, batch, lr_at(step))
                for step, batch in zip(range(start, stop), self._batches(start, stop), strict=True)
            ]
            losses.append(torch.stack(steps).double().cpu().numpy())
            on_steps(stop - start)
        return summarise(np.concatenate(losses), first)

    def held_out(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K,) held-out losses, see `held_out_loss`."""
        return held_out_loss(self._model, self._pack, windows)

    def position_losses(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K, n_ctx) held-out losses by position, see `position_losses`."""
        return position_losses(self._model, self._pack, windows)

    def noise(self, windows: torch.Tensor) -> list[NoiseScale]:
        """Return the K gradient noise scales, see `measure_noise`."""
        return measure_noise(self._model, self._pack, windows)

    def _batches(self, start: int, stop: int) -> torch.Tensor:
        tokens = read_batches(self._streams, start, stop, self._rows)
        return torch.from_numpy(tokens.astype(np.int64)).to(self._device)

    def _step(self, step: int, batch: torch.Tensor, lr: float) -> torch.Tensor:
        """Take one optimizer step; return (K,) losses, still on the device."""
        self._pack.refresh()
        drop = None
        if self._dropout:
            drop = Dropout(self._dropout, self._seeds, step, self._device)
        losses = self._losses(batch, drop)
        self.optimizer.step(step, lr)
        return losses


def chunks(first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield (start, stop) of the steps whose tokens are fetched together.

    >>> list(chunks(10, 100))
    [(10, 74), (74, 100)]
    """
    for start in range(first, last, CHUNK):
        yield start, min(last, start + CHUNK)


def read_batches(
    streams: Sequence[TokenStream], start: int, stop: int, rows: int
) -> NDArray[np.integer]:
    """Return the (steps, K, rows, n_ctx + 1) tokens of steps `start` … `stop − 1`."""
    parts = [stream.rows(start * rows, (stop - start) * rows) for stream in streams]
    return np.concatenate([part.reshape(stop - start, 1, rows, -1) for part in parts], axis=1)


def summarise(losses: NDArray[np.float64], first: int) -> Segment:
    """Summarise the (steps, K) losses of steps `first` and after."""
    bad = ~np.isfinite(losses)
    diverged = {int(k): first + int(bad[:, k].argmax()) for k in np.flatnonzero(bad.any(axis=0))}
    mean = losses.mean(axis=0) if len(losses) else np.full(losses.shape[1], np.nan)
    return Segment(mean, diverged)
