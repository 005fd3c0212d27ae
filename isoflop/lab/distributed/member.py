"""What every rank does, the leader and the followers alike: a share of every step."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.share import own_windows
from isoflop.lab.loop import read_batches
from isoflop.lab.measures.evaluate import sum_losses
from isoflop.lab.models.cross_entropy import CrossEntropy
from isoflop.lab.models.dropout import Drop, Dropout
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.recipes.recipe import Recipe


class Engine(Protocol):
    """A model held by several ranks: `Replica` or `Sharded`."""

    def refresh(self) -> None:
        """Make ready for a pass; gradients are zero after."""
        ...

    def train_logits(self, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return (K, T, V) logits; their backward pass averages gradients over the ranks."""
        ...

    def logits(self, inputs: Tensor) -> Tensor:
        """Return (K, T, V) logits for evaluation."""
        ...

    def move(self, step: int, lr: float) -> None:
        """Take the optimizer step."""
        ...

    def noise(self, windows: Tensor) -> list[NoiseScale]:
        """Measure the gradient noise; the leader alone asks."""
        ...

    def gather(self) -> dict[str, Tensor]:
        """Return on the leader what one process would save; all ranks must ask."""
        ...

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put back the leader's state; all ranks must ask."""
        ...


class Member:
    """One rank's share of the training of K models.

    Args:
        group: the ranks.
        engine: the model.
        rung: its seeds and dropout.
        recipe: settled; its rows a step divide among the ranks.
        streams: one training stream per model, whole.
        seeds: (root, index) of each model.
    """

    def __init__(
        self,
        group: Group,
        engine: Engine,
        rung: Rung,
        recipe: Recipe,
        streams: Sequence[TokenStream],
        seeds: list[tuple[int, int]],
    ) -> None:
        self.engine, self.packed, self._group = engine, len(seeds), group
        self._streams, self._seeds, self._dropout = streams, seeds, rung.dropout
        self._rows = recipe.batch_tokens // rung.architecture.n_ctx

    def train(self, first: int, rates: Sequence[float]) -> Tensor:
        """Train one step per rate from step `first`; return (steps, K) losses of whole batches."""
        batches = self._batches(first, first + len(rates))
        losses = [
            self._step(first + index, batch, lr)
            for index, (batch, lr) in enumerate(zip(batches, rates, strict=True))
        ]
        return self._group.total(torch.stack(losses).double()) / self._group.size

    def sum_losses(self, windows: Tensor) -> np.ndarray:
        """Return (K, n_ctx) losses summed over windows that every rank has, each a share."""
        group = self._group
        places, counted = own_windows(len(windows), group.rank, group.size)
        own = windows[places].to(group.device)
        self.engine.refresh()
        total = sum_losses(self.engine.logits, self.packed, own, counted)
        return group.total(torch.from_numpy(total)).cpu().numpy()

    def _batches(self, start: int, stop: int) -> Tensor:
        """Return this rank's (steps, K, rows/size, n_ctx + 1) tokens."""
        share = self._rows // self._group.size
        own = slice(self._group.rank * share, (self._group.rank + 1) * share)
        tokens = read_batches(self._streams, start, stop, self._rows)[:, :, own]
        return torch.from_numpy(tokens.astype(np.int64)).to(self._group.device)

    def _step(self, step: int, batch: Tensor, lr: float) -> Tensor:
        """Take one optimizer step; return the (K,) losses of this rank's rows."""
        self.engine.refresh()
        drop = None
        if self._dropout:
            part = (self._group.rank, self._group.size)
            drop = Dropout(self._dropout, self._seeds, step, self._group.device, part)
        logits = self.engine.train_logits(batch[..., :-1], drop)
        targets = batch[..., 1:].reshape(len(self._streams), -1)
        losses: Tensor = CrossEntropy.apply(logits, targets)
        losses.sum().backward()
        self.engine.move(step, lr)
        return losses.detach()
