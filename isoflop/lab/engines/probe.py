"""A short probe of the machine: which precision, and how fast a training step will be.

bfloat16 is 44 to 500 times slower on CPUs without the units for it, and about 4 times faster
with them; so it is chosen only where the processor has them AND it measures clearly faster.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from isoflop.lab.engines.placement import Placement, Precision, check_device, settle_threads

_SIDE = 512
_CLEARLY_FASTER = 1.5
"""Ratio from which bfloat16 is chosen; measured 3 to 5 with the units, below 1 without."""
GPU_WORKERS = 4
"""Processes that share a GPU: one small model cannot fill it."""
_BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "sve_bf16", "bf16"})


@dataclass(frozen=True)
class Probe:
    """What the probe found.

    Args:
        device: `cpu` or `cuda`.
        precision: the type chosen for matrix products.
        flop_per_s: rate of a 512³ (GPU: 4096³) product in that type, one worker.
        workers: processes that can train side by side.
    """

    device: str
    precision: Precision
    flop_per_s: float
    workers: int

    @property
    def placement(self) -> Placement:
        """Where and in what precision to train."""
        return Placement(self.device, self.precision)


def probe_machine(device: str = "cpu") -> Probe:
    """Measure for well under a second.

    Args:
        device: `cpu` or `cuda`.

    Raises:
        InputError: the device is not there.
    """
    check_device(device)
    if device == "cuda":
        rate = _rate(torch.device("cuda"), torch.bfloat16, side=4096)
        return Probe("cuda", "bfloat16", rate, default_workers("cuda"))
    threads = torch.get_num_threads()
    settle_threads()
    try:
        single = _rate(torch.device("cpu"), torch.float32)
        half = _rate(torch.device("cpu"), torch.bfloat16) if _has_bf16_units() else 0.0
    finally:
        torch.set_num_threads(threads)
    faster = half >= _CLEARLY_FASTER * single
    return Probe(
        "cpu",
        "bfloat16" if faster else "float32",
        max(half, single) if faster else single,
        count_cores(),
    )


def likely_precision(device: str, wanted: Literal["auto", "float32", "bfloat16"]) -> Precision:
    """Return what the probe will most likely choose, without measuring.

    Args:
        device: `cpu` or `cuda`.
        wanted: the recipe's; `auto` leaves it to the machine.
    """
    if wanted != "auto":
        return wanted
    return "bfloat16" if device == "cuda" or _has_bf16_units() else "float32"


def default_workers(device: str) -> int:
    """Return the processes that train side by side where nobody says how many."""
    return min(GPU_WORKERS, count_cores()) if device == "cuda" else count_cores()


def count_cores() -> int:
    """Return the cores this process may use, by its affinity and its container's quota."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(affinity or 1, _quota(Path("/sys/fs/cgroup/cpu.max"))))


def _quota(path: Path) -> int:
    """Return the whole cores of a cgroup's quota (`max 100000`, `200000 100000`), at least one."""
    try:
        allowed, period = path.read_text(encoding="utf-8").split()
        return max(1, int(allowed) // int(period))
    except (OSError, ValueError):
        return 2**16


def _has_bf16_units() -> bool:
    """Tell whether the processor multiplies bfloat16 in hardware (Linux; else assume not)."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return False
    lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return bool(_BF16_FLAGS & set(flags.split()))


def _rate(device: torch.device, dtype: torch.dtype, side: int = _SIDE) -> float:
    """Return FLOP/s of a square product, the best of several: busy must answer like idle."""
    left, right = (torch.ones(side, side, device=device, dtype=dtype) for _ in range(2))
    torch.mm(left, right)
    return max(2 * side**3 / _seconds(left, right) for _ in range(25))


def _seconds(left: torch.Tensor, right: torch.Tensor) -> float:
    if left.is_cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    torch.mm(left, right)
    if left.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start
