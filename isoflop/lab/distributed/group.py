"""The ranks of one training, and messages from the leader to all: JSON and tensors, no pickles."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

LEADER = 0
"""The rank that decides and writes."""
_PATIENCE = timedelta(minutes=30)
"""A rank that died is noticed at once, its connections close; this is for one that hangs."""


@dataclass(frozen=True)
class Group:
    """The ranks that train one rung together.

    Args:
        rank: of this process.
        size: number of ranks.
        device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process is the leader."""
        return self.rank == LEADER

    def mesh(self) -> DeviceMesh:
        """Return the ranks as torch's one-dimensional mesh."""
        return init_device_mesh(self.device.type, (self.size,))

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message from the leader to every follower, which must `hear` it."""
        text = torch.frombuffer(bytearray(json.dumps(message).encode()), dtype=torch.uint8)
        self.spread(torch.tensor([len(text)]))
        self.spread(text)

    def hear(self) -> dict[str, Any]:
        """Wait for the leader's next message."""
        length = int(self.spread(torch.zeros(1, dtype=torch.int64)).item())
        text = self.spread(torch.empty(length, dtype=torch.uint8))
        message: dict[str, Any] = json.loads(bytes(text.cpu().numpy()))
        return message

    def spread(self, tensor: Tensor) -> Tensor:
        """Return the leader's tensor on every rank; the others give one of its shape and type."""
        placed = tensor.to(self.device).contiguous()
        dist.broadcast(placed, LEADER)
        return placed

    def total(self, tensor: Tensor) -> Tensor:
        """Return the sum over the ranks, on every rank."""
        placed = tensor.to(self.device).contiguous()
        dist.all_reduce(placed)
        return placed


def join_group(device: torch.device, local_rank: int) -> Group:
    """Meet the other ranks, as torchrun's environment variables say.

    Args:
        device: `cpu`, over gloo, or `cuda`, over NCCL with one GPU a process.
        local_rank: which of this machine's GPUs.
    """
    if device.type == "cuda":
        device = torch.device("cuda", local_rank)
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=_PATIENCE)
    return Group(dist.get_rank(), dist.get_world_size(), device)


def leave_group() -> None:
    """Part from the other ranks, all of which do so now."""
    dist.destroy_process_group()
