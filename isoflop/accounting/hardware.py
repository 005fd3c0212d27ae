"""Accelerators: what their vendors' data sheets print. Dense peaks, never those with sparsity."""

from collections.abc import Mapping
from dataclasses import dataclass

from isoflop.base.errors import InputError, UnknownNameError

TYPICAL_MFU = (0.29, 0.39, 0.46)
"""Assumed share of the peak that training reaches: low, middle, high.

Model FLOPs utilisation computed from published throughputs: nanoGPT on A100 29 %, torchtitan on
H100 39 %, nanochat on H100 46 %. An assumption for well-tuned dense models on one node or a
few; other models, other chips and thousands of chips differ. Measure your own.
"""


@dataclass(frozen=True)
class Accelerator:
    """One chip.

    Args:
        name: as `--accelerator` takes it.
        peak: dense FLOP/s by number format; the first is the one to train in.
        memory: bytes.
        watts: the board's maximum power, W; None where no data sheet prints it.
        source: the data sheet.
    """

    name: str
    peak: Mapping[str, float]
    memory: float
    watts: float | None
    source: str

    def peak_in(self, dtype: str | None) -> tuple[str, float]:
        """Return a number format and its peak, FLOP/s; the format to train in if None.

        Raises:
            InputError: the chip's table has no such format.
        """
        chosen = dtype or next(iter(self.peak))
        if chosen not in self.peak:
            raise InputError(
                f"{self.name} has no {chosen} peak in the table; known: {', '.join(self.peak)}; "
                "or give the peak itself"
            )
        return chosen, self.peak[chosen]


def find_accelerator(name: str) -> Accelerator:
    """Look an accelerator up.

    Raises:
        UnknownNameError: no such accelerator; suggests the nearest.

    >>> find_accelerator("h100").peak["bf16"]
    989400000000000.0
    """
    if name.lower() not in _BY_NAME:
        raise UnknownNameError("accelerator", name, _BY_NAME)
    return _BY_NAME[name.lower()]


def _tera(**peaks: float) -> Mapping[str, float]:
    return {name: 1e12 * peak for name, peak in peaks.items()}


ACCELERATORS: tuple[Accelerator, ...] = (
    Accelerator("v100", _tera(fp16=125, fp32=15.7), 32e9, 300, "NVIDIA V100 data sheet, SXM2"),
    Accelerator("t4", _tera(fp16=65, fp32=8.1), 16e9, 70, "NVIDIA T4 data sheet"),
    Accelerator(
        "a100", _tera(bf16=312, fp16=312, tf32=156, fp32=19.5), 80e9, 400,
        "NVIDIA A100 data sheet, SXM 80 GB",
    ),
    Accelerator(
        "a100-40gb", _tera(bf16=312, fp16=312, tf32=156, fp32=19.5), 40e9, 400,
        "NVIDIA A100 data sheet, SXM 40 GB",
    ),
    Accelerator(
        "h100", _tera(bf16=989.4, fp16=989.4, fp8=1978.9, tf32=494.7, fp32=66.9), 80e9, 700,
        "NVIDIA H100 architecture paper, SXM5; the data sheet prints twice this, with sparsity",
    ),
    Accelerator(
        "h100-pcie", _tera(bf16=756, fp16=756, fp8=1513, tf32=378, fp32=51), 80e9, 350,
        "NVIDIA H100 data sheet, PCIe, halved for sparsity",
    ),
    Accelerator(
        "h200", _tera(bf16=989.4, fp16=989.4, fp8=1978.9, tf32=494.7, fp32=66.9), 141e9, 700,
        "NVIDIA H200 data sheet, SXM, halved for sparsity",
    ),
    Accelerator(
        "b200", _tera(bf16=2250, fp16=2250, fp8=4500, tf32=1125, fp32=75), 180e9, 1000,
        "NVIDIA HGX B200 data sheet, halved for sparsity",
    ),
    Accelerator(
        "l40s", _tera(bf16=362, fp16=362, fp8=733, tf32=183, fp32=91.6), 48e9, 350,
        "NVIDIA L40S data sheet",
    ),
    Accelerator(
        "rtx4090", _tera(bf16=165.2, fp16=165.2, tf32=82.6, fp32=82.6), 24e9, 450,
        "NVIDIA Ada architecture paper, sums in fp32",
    ),
    Accelerator(
        "mi300x", _tera(bf16=1307.4, fp16=1307.4, fp8=2614.9, fp32=163.4), 192e9, 750,
        "AMD Instinct MI300X data sheet",
    ),
    Accelerator("tpu-v4", _tera(bf16=275), 32 * 2**30, 192, "Google Cloud TPU v4 page, most power"),
    Accelerator("tpu-v5e", _tera(bf16=197), 16e9, None, "Google Cloud TPU v5e page"),
    Accelerator("tpu-v5p", _tera(bf16=459), 95e9, None, "Google Cloud TPU v5p page"),
)  # fmt: skip
"""Every accelerator of the table."""

_BY_NAME = {each.name: each for each in ACCELERATORS}
