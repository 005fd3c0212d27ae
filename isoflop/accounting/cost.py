"""From FLOPs to accelerator-hours, days, dollars and energy, and back."""

import math
from dataclasses import asdict, dataclass
from typing import Literal

from isoflop.accounting.hardware import find_accelerator
from isoflop.base.errors import InputError, RefusalError

Given = Literal["flops", "gpu_hours", "days", "cost_usd"]
STATE_BYTES = 16
"""Bytes a parameter in mixed-precision Adam: weight and gradient in 16 bits, 32-bit copy and two
moments (Rajbhandari 2019, ZeRO, section 3.1). Activations are not counted."""


@dataclass(frozen=True)
class Machine:
    """What trains, and what it costs.

    Args:
        peak: FLOP/s of one accelerator, dense.
        n_gpus: how many.
        mfu: share of the peak that training reaches, 0 to 1.
        watts: power of one accelerator, W; None if unknown.
        pue: power of the whole site over that of the accelerators, at least 1.
        dollars_per_hour: price of one accelerator for an hour; None if not asked.
        dollars_per_kwh: price of energy; None if not asked.

    Raises:
        InputError: a value out of its range.
    """

    peak: float
    n_gpus: int
    mfu: float
    watts: float | None = None
    pue: float = 1.0
    dollars_per_hour: float | None = None
    dollars_per_kwh: float | None = None

    def __post_init__(self) -> None:
        if self.n_gpus < 1:
            raise InputError(f"gpus must be a positive integer, found {self.n_gpus}")
        if not 0 < self.mfu <= 1:
            raise InputError(
                f"mfu is the share of the peak that is reached, above 0 and at most 1; found "
                f"{self.mfu:g}"
            )
        if not 1 <= self.pue < math.inf:
            raise InputError(f"pue is at least 1, found {self.pue:g}")
        for name in ("peak", "watts", "dollars_per_hour", "dollars_per_kwh"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} must be positive, found {value:g}")

    @property
    def flop_per_s(self) -> float:
        """What all accelerators reach together, FLOP/s: peak · mfu · n_gpus."""
        return self.peak * self.mfu * self.n_gpus


@dataclass(frozen=True)
class ComputeCost:
    """What a training run takes.

    Args:
        mfu: the utilisation it is computed at.
        flops: training compute, FLOPs.
        gpu_hours: hours of one accelerator.
        days: days of the whole machine.
        cost_usd: dollars for the accelerators; None without a price.
        energy_kwh: energy, kWh, pue included; None without a power.
        energy_usd: dollars for the energy; None without its price.
    """

    mfu: float
    flops: float
    gpu_hours: float
    days: float
    cost_usd: float | None
    energy_kwh: float | None
    energy_usd: float | None

    def to_dict(self) -> dict[str, float | None]:
        """Return the JSON object."""
        return asdict(self)


def machine_of(
    accelerator: str, *, n_gpus: int = 1, mfu: float, dtype: str | None = None
) -> Machine:
    """Take the peak and the power of a machine from the table of accelerators.

    >>> machine_of("a100", mfu=0.5).flop_per_s
    156000000000000.0
    """
    chip = find_accelerator(accelerator)
    return Machine(chip.peak_in(dtype)[1], n_gpus, mfu, chip.watts)


def price_compute(amount: float, machine: Machine, *, given: Given = "flops") -> ComputeCost:
    """Price a training run on a machine; or find the FLOPs that hours, days or dollars buy.

    hours = C / (peak · mfu · 3600); days = hours / (24 · n_gpus);
    energy = hours · watts · pue / 1000.

    Args:
        amount: FLOPs, or what `given` says.
        machine: what trains.
        given: `flops`, `gpu_hours`, `days` or `cost_usd`.

    Raises:
        InputError: an amount that is not positive.
        RefusalError: dollars given without a price of an accelerator-hour.

    >>> cost = price_compute(3.14e23, machine_of("a100", n_gpus=1024, mfu=0.5))
    >>> round(cost.days, 1)
    22.8
    """
    if not 0 < amount < math.inf:
        raise InputError(f"{given} must be positive, found {amount:g}")
    hours = _gpu_hours(amount, machine, given)
    price, power = machine.dollars_per_hour, machine.watts
    energy = None if power is None else hours * power * machine.pue / 1000
    tariff = machine.dollars_per_kwh
    return ComputeCost(
        mfu=machine.mfu,
        flops=hours * 3600 * machine.peak * machine.mfu if given != "flops" else amount,
        gpu_hours=hours,
        days=hours / 24 / machine.n_gpus,
        cost_usd=None if price is None else hours * price,
        energy_kwh=energy,
        energy_usd=None if energy is None or tariff is None else energy * tariff,
    )


def _gpu_hours(amount: float, machine: Machine, given: Given) -> float:
    if given == "gpu_hours":
        return amount
    if given == "days":
        return amount * 24 * machine.n_gpus
    if given == "cost_usd":
        if machine.dollars_per_hour is None:
            raise RefusalError("dollars buy hours at a price: give the dollars of a GPU-hour")
        return amount / machine.dollars_per_hour
    return amount / (machine.peak * machine.mfu * 3600)


def gpus_for_states(n_params: float, memory: float) -> int:
    """Fewest accelerators whose memory holds weights, gradients and Adam's state, 16 B a parameter.

    Args:
        n_params: stored parameters.
        memory: bytes of one accelerator.

    >>> gpus_for_states(7e9, 80e9)
    2
    """
    return math.ceil(STATE_BYTES * n_params / memory)
