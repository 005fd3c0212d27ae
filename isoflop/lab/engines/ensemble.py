"""The models of a rung in one or several packs, seen from outside as one trainer."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.engines.engine import Engine, split_members
from isoflop.lab.engines.placement import Placement
from isoflop.lab.loop import Segment, Trainer
from isoflop.lab.models.layout import layout
from isoflop.runs.ladders.ladder import Recipe, Rung


class Ensemble:
    """Every model of a rung, pack after pack or, with threads to spare, packs side by side.

    A pack computes the same bits whichever thread it runs on, so results do not depend on
    `threads`.

    Args:
        rung: the models.
        recipe: batch, learning rate, optimizer.
        streams: one training stream per model.
        seeds: (root, index) of each model.
        device: `cpu` or `cuda`.
        engine: type, packs, kind of step.
        threads: packs trained at the same time.
    """

    def __init__(
        self,
        rung: Rung,
        recipe: Recipe,
        streams: Sequence[TokenStream],
        *,
        seeds: list[tuple[int, int]],
        device: str,
        engine: Engine,
        threads: int = 1,
    ) -> None:
        placement = Placement(device, engine.precision)
        self._slices = split_members(rung.members, engine.packs)
        self._trainers = [
            Trainer(
                rung, recipe, streams[part], seeds=seeds[part], members=part, steps=engine.steps,
                device=placement.torch_device, dtype=placement.torch_dtype,
            )
            for part in self._slices
        ]  # fmt: skip
        self._threads = min(threads, engine.packs)
        sizes = [weight.size for weight in layout(rung.architecture, recipe.base_width)]
        counts = [part.stop - part.start for part in self._slices]
        self.optimizer = JoinedState(self._trainers, sizes, counts)
        self.spread: Mapping[str, Any] = {}

    def advance(
        self,
        first: int,
        last: int,
        lr_at: Callable[[int], float],
        on_steps: Callable[[int], None] = lambda steps: None,
    ) -> Segment:
        """Train steps `first` … `last − 1` of every model, see `Trainer.advance`."""
        count = _Average(len(self._trainers), on_steps)

        def train(trainer: Trainer) -> Segment:
            return trainer.advance(first, last, lr_at, count)

        if self._threads > 1:
            with ThreadPoolExecutor(self._threads) as pool:
                segments = list(pool.map(train, self._trainers))
        else:
            segments = [train(trainer) for trainer in self._trainers]
        diverged = {
            part.start + model: step
            for part, segment in zip(self._slices, segments, strict=True)
            for model, step in segment.diverged.items()
        }
        return Segment(np.concatenate([segment.train_loss for segment in segments]), diverged)

    def held_out(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K,) held-out losses."""
        return np.concatenate([trainer.held_out(windows) for trainer in self._trainers])

    def position_losses(self, windows: torch.Tensor) -> NDArray[np.float64]:
        """Return (K, n_ctx) held-out losses by position."""
        return np.concatenate([trainer.position_losses(windows) for trainer in self._trainers])

    def noise(self, windows: torch.Tensor) -> list[NoiseScale]:
        """Return the K gradient noise scales of (n, K, n_ctx + 1) tokens."""
        return [
            scale
            for part, trainer in zip(self._slices, self._trainers, strict=True)
            for scale in trainer.noise(windows[:, part])
        ]


class JoinedState:
    """The states of several packs as that of one pack of all the models.

    Buffers of all weights are joined weight by weight; the parts of an optimizer that moves only
    some of them keep the number of their pack in front of their name.

    Args:
        trainers: one a pack.
        sizes: elements of each weight of one model, in order.
        counts: models of each pack.
    """

    def __init__(
        self, trainers: Sequence[Trainer], sizes: Sequence[int], counts: Sequence[int]
    ) -> None:
        self._optimizers = [trainer.optimizer for trainer in trainers]
        self._sizes, self._counts = sizes, counts

    def state(self) -> dict[str, torch.Tensor]:
        """Return copies of everything a later step depends on."""
        if len(self._optimizers) == 1:
            return self._optimizers[0].state()
        states = [optimizer.state() for optimizer in self._optimizers]
        joined = {}
        for name in states[0]:
            parts = [state[name] for state in states]
            if parts[0].numel() == self._counts[0] * sum(self._sizes):
                joined[name] = self._join(parts)
            else:
                joined |= {f"{index}.{name}": part for index, part in enumerate(parts)}
        return joined

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Put back what `state` returned."""
        if len(self._optimizers) == 1:
            self._optimizers[0].restore(state)
            return
        apart = {
            name: self._split(tensor) for name, tensor in state.items() if not name[0].isdigit()
        }
        for index, optimizer in enumerate(self._optimizers):
            mark = f"{index}."
            own = {k.removeprefix(mark): v for k, v in state.items() if k.startswith(mark)}
            optimizer.restore({**own, **{name: parts[index] for name, parts in apart.items()}})

    def _join(self, parts: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return (K·P,) of the packs' (k·P,): by weight, then by model."""
        cut = [
            part.split([count * size for size in self._sizes])
            for part, count in zip(parts, self._counts, strict=True)
        ]
        return torch.cat([piece for pieces in zip(*cut, strict=True) for piece in pieces])

    def _split(self, whole: torch.Tensor) -> list[torch.Tensor]:
        """Return the packs' (k·P,) of (K·P,)."""
        lengths = [count * size for size in self._sizes for count in self._counts]
        pieces, packs = whole.split(lengths), len(self._counts)
        return [torch.cat(pieces[index::packs]) for index in range(packs)]


class _Average:
    """Tells of steps that all packs have taken on average, from any thread."""

    def __init__(self, packs: int, tell: Callable[[int], None]) -> None:
        self._packs, self._tell = packs, tell
        self._taken, self._told = 0, 0
        self._lock = threading.Lock()

    def __call__(self, steps: int) -> None:
        with self._lock:
            self._taken += steps
            more = self._taken // self._packs - self._told
            self._told += more
            if more:
                self._tell(more)
