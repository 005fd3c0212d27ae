"""AdamW on every rank's share of every weight, and its state as one process keeps it.

The arithmetic is `isoflop.lab.optimizer.AdamW` itself, over the share's own storage: it goes
element by element, so a share moves as the same elements of the whole buffer would.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from isoflop.lab.distributed.group import Group
from isoflop.lab.models.layout import Weight
from isoflop.lab.models.pack import Pack
from isoflop.lab.optimizer import AdamW
from isoflop.runs.recipes.recipe import Recipe

_KINDS = ("master", "first", "second")
"""The buffers of `AdamW.state`."""


class Shard:
    """One rank's rows of one weight.

    Args:
        weight: where it lies in the layout.
        parameter: the sharded parameter of (K·inputs, outputs).
        group: the ranks.
        packed: K.
        factors: (K,) of each model's rates, None for 1.
    """

    def __init__(
        self,
        weight: Weight,
        parameter: nn.Parameter,
        group: Group,
        packed: int,
        factors: Tensor | None,
    ) -> None:
        assert isinstance(parameter, DTensor)
        self.parameter, self._mesh = parameter, parameter.device_mesh
        self.place = slice(packed * weight.offset, packed * (weight.offset + weight.size))
        self.local: Tensor = parameter.to_local().detach()
        self.gradient = torch.zeros_like(self.local)
        parameter.grad = self._distributed(self.gradient)
        first = -(-parameter.shape[0] // group.size) * group.rank  # as torch.chunk divides
        self._rows = slice(first, first + len(self.local))
        rates = torch.full((parameter.shape[0], 1), weight.lr_multiplier)
        if factors is not None:
            rates.mul_(factors.repeat_interleave(weight.shape[0]).view(-1, 1))
        self.multipliers = rates[self._rows].expand_as(self.local).to(self.local.device)

    @torch.no_grad()
    def fill(self, numbers: Tensor, buffer: Tensor | None = None) -> None:
        """Take this rank's rows of a whole weight's numbers, of any shape, into a buffer.

        Args:
            numbers: K·inputs·outputs of them.
            buffer: like `local`, which is the default.
        """
        rows = numbers.view(self.parameter.shape)[self._rows]
        (self.local if buffer is None else buffer).copy_(rows)

    def whole(self, part: Tensor) -> Tensor:
        """Return a whole weight's numbers, flat, from every rank's part; all must ask."""
        return self._distributed(part.view_as(self.local)).full_tensor().flatten()

    def _distributed(self, part: Tensor) -> DTensor:
        own = self.parameter
        return DTensor.from_local(
            part, self._mesh, own.placements, run_check=False, shape=own.shape, stride=own.stride()
        )


class ShardedAdamW:
    """AdamW with the state of all shares together.

    Args:
        group: the ranks.
        shards: of every weight, in the order of the layout.
        recipe: settled.
    """

    def __init__(self, group: Group, shards: Sequence[Shard], recipe: Recipe) -> None:
        self._group, self._shards = group, shards
        self._parts = [AdamW(_pack(shard), recipe) for shard in shards]

    def clear(self) -> None:
        """Set the gradients to zero; FSDP adds the averages to gradients that are there."""
        for shard in self._shards:
            shard.gradient.zero_()

    def step(self, step: int, lr: float) -> None:
        """Move this rank's shares."""
        for part in self._parts:
            part.step(step, lr)

    def gather(self) -> dict[str, Tensor]:
        """Return (K·P,) buffers on the leader, in main memory; nothing on the followers."""
        size = self._shards[-1].place.stop if self._group.leads else 0
        state = {kind: torch.empty(size) for kind in _KINDS}
        for shard, part in zip(self._shards, self._parts, strict=True):
            for kind, buffer in _buffers(shard, part).items():
                numbers = shard.whole(buffer)
                if self._group.leads:
                    state[kind][shard.place] = numbers.cpu()
        return state if self._group.leads else {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put back the leader's state."""
        for shard, part in zip(self._shards, self._parts, strict=True):
            for kind, buffer in _buffers(shard, part).items():
                leads, size = self._group.leads, shard.parameter.numel()
                numbers = state[kind][shard.place] if leads else torch.empty(size)
                shard.fill(self._group.spread(numbers), buffer.view_as(shard.local))


def _pack(shard: Shard) -> Pack:
    """Return the share as the flat buffers that AdamW moves, without a copy of the weights."""
    flat = shard.local.view(-1)
    return Pack(flat, flat, shard.gradient.view(-1), shard.multipliers.reshape(-1), {})


def _buffers(shard: Shard, part: AdamW) -> dict[str, Tensor]:
    return {"master": shard.local, "first": part.first, "second": part.second}
