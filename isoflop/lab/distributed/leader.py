"""The trainer of rank 0, which `train_rung` drives, and the other ranks, which follow it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.member import Engine, Member
from isoflop.lab.loop import Segment, chunks, summarise


class Leader:
    """K models of one rung trained by all ranks, as `isoflop.lab.loop.Trainer` alone does.

    Every method sends its call to the followers and takes part itself.

    Args:
        group: the ranks; this process leads.
        member: this process's share.
        sharded: whether the weights are divided too.
    """

    def __init__(self, group: Group, member: Member, *, sharded: bool) -> None:
        self._group, self._member = group, member
        self.optimizer = SharedState(group, member.engine)
        self.spread = how_spread(group, shard=sharded)

    def advance(
        self,
        first: int,
        last: int,
        lr_at: Callable[[int], float],
        on_steps: Callable[[int], None] = lambda steps: None,
    ) -> Segment:
        """Train steps `first` … `last − 1`, see `Trainer.advance`."""
        losses = [np.empty((0, self._member.packed))]
        for start, stop in chunks(first, last):
            rates = [lr_at(step) for step in range(start, stop)]
            self._group.tell({"do": "train", "first": start, "rates": rates})
            losses.append(self._member.train(start, rates).cpu().numpy())
            on_steps(stop - start)
        return summarise(np.concatenate(losses), first)

    def held_out(self, windows: Tensor) -> NDArray[np.float64]:
        """Return (K,) held-out losses, see `held_out_loss`."""
        return self.position_losses(windows).mean(axis=1)

    def position_losses(self, windows: Tensor) -> NDArray[np.float64]:
        """Return (K, n_ctx) held-out losses by position, every rank a share of the windows."""
        self._group.tell({"do": "evaluate", "shape": list(windows.shape)})
        return self._member.sum_losses(self._group.spread(windows)) / len(windows)

    def noise(self, windows: Tensor) -> list[NoiseScale]:
        """Return the K gradient noise scales, measured by this rank alone."""
        return self._member.engine.noise(windows)


def how_spread(group: Group, *, shard: bool) -> Mapping[str, Any]:
    """Return what events and timing records say of the ranks."""
    return {"processes": group.size, "sharded": shard}


class SharedState:
    """The optimizer of all ranks: its state is that of one process."""

    def __init__(self, group: Group, engine: Engine) -> None:
        self._group, self._engine = group, engine

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything a later step depends on."""
        self._group.tell({"do": "gather"})
        return self._engine.gather()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put back what `state`, here or of one process, returned."""
        self._group.tell({"do": "restore"})
        self._engine.restore(state)


def follow(group: Group, build: Callable[[], Member]) -> None:
    """Do what the leader says until it lets this rank go.

    Args:
        group: the ranks; this process follows.
        build: makes this rank's share, anew for every trunk of a rung.
    """
    member: Member | None = None
    while (order := group.hear())["do"] != "end":
        if member is None or order["do"] == "build":
            member = build()
        else:
            _obey(group, member, order)


def _obey(group: Group, member: Member, order: Mapping[str, Any]) -> None:
    match order["do"]:
        case "train":
            member.train(order["first"], order["rates"])
        case "evaluate":
            empty = torch.empty(order["shape"], dtype=torch.int64)
            member.sum_losses(group.spread(empty))
        case "gather":
            member.engine.gather()
        case "restore":
            member.engine.restore({})
