"""Where and in what precision a study trains; chosen once, kept in the study."""

from dataclasses import dataclass
from typing import Literal

import torch

from isoflop.base.errors import InputError

Precision = Literal["float32", "bfloat16"]
THREADS = 1
"""Of every worker."""


@dataclass(frozen=True)
class Placement:
    """Device and type of the matrix products.

    Args:
        device: `cpu` or `cuda`.
        precision: `float32` or `bfloat16`.
    """

    device: str
    precision: Precision

    @property
    def torch_device(self) -> torch.device:
        """The device, for torch."""
        return torch.device(self.device)

    @property
    def torch_dtype(self) -> torch.dtype:
        """The type, for torch."""
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        InputError: neither `cpu` nor `cuda`, or no GPU.
    """
    if device not in ("cpu", "cuda"):
        raise InputError(f"device is {device!r}, expected cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device cuda: torch finds no GPU; use device cpu")


def settle_gpu() -> None:
    """Ask for the same bits twice, where the GPU's kernels can give them."""
    torch.use_deterministic_algorithms(True, warn_only=True)


def settle_threads() -> None:
    """One thread, and float32 products through oneDNN.

    Two one-thread processes beat one two-thread process by 1.2 to 1.8, and the thread count is
    part of a run's identity. MKL's float32 takes a slow path on AMD (86 against 190 GFLOP/s).
    """
    torch.set_num_threads(THREADS)
    torch.set_float32_matmul_precision("medium")
