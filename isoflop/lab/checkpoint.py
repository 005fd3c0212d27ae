"""A trunk's checkpoint: one safetensors file, committed atomically, checked by hash."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from isoflop.base import strict_json
from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError

_HEADER = "isoflop"


@dataclass(frozen=True)
class Checkpoint:
    """Everything a trunk's later steps depend on.

    Args:
        step: steps taken.
        diverged: model → step of its first loss that was not a number.
        tensors: weights and moments, see `AdamW.state`.
    """

    step: int
    diverged: dict[int, int]
    tensors: dict[str, Tensor]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint; a reader sees the previous one or this one, never a part."""
    tensors = {name: tensor.cpu() for name, tensor in checkpoint.tensors.items()}
    header: dict[str, Any] = {
        "step": checkpoint.step,
        "diverged": {str(k): v for k, v in checkpoint.diverged.items()},
    }
    header["sha256"] = _digest(header, tensors)
    # One key only: safetensors writes several in an order that changes from process to process.
    write_atomic(path, save(tensors, metadata={_HEADER: strict_json.dumps(header)}))


def load_checkpoint(path: Path) -> Checkpoint | None:
    """Read a checkpoint; None if there is none or it is damaged (then training starts over)."""
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = strict_json.loads((file.metadata() or {}).get(_HEADER, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, InputError):
        return None
    if header.pop("sha256", None) != _digest(header, tensors):
        return None
    diverged = {int(model): step for model, step in header["diverged"].items()}
    return Checkpoint(header["step"], diverged, tensors)


def _digest(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(strict_json.dumps(dict(header)).encode())
    for name in sorted(tensors):
        digest.update(name.encode() + tensors[name].numpy().tobytes())
    return digest.hexdigest()
