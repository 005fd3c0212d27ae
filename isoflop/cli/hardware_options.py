"""Accelerators and prices as options of a command, and what a run costs on them as a table."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import click

from isoflop.accounting.cost import ComputeCost, Given, Machine, gpus_for_states, price_compute
from isoflop.accounting.hardware import ACCELERATORS, TYPICAL_MFU, find_accelerator
from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import format_table

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Hardware:
    """What the user said of the machine; None where nothing was."""

    accelerator: str | None
    dtype: str | None
    peak: float | None
    gpus: int | None
    mfu: float | None
    watts: float | None
    pue: float | None
    dollars_per_hour: float | None
    dollars_per_kwh: float | None

    @property
    def asked(self) -> bool:
        """Whether anything was said at all."""
        return any(getattr(self, field.name) is not None for field in fields(self))

    def machines(self) -> list[Machine]:
        """One machine at the utilisation given, or three at the low, middle and high assumed."""
        if self.accelerator is None and self.peak is None:
            raise InputError(
                "give --accelerator (isoflop cost --list shows them) or its --peak in FLOP/s"
            )
        chip = find_accelerator(self.accelerator) if self.accelerator else None
        peak = self.peak
        if peak is None:
            assert chip is not None
            peak = chip.peak_in(self.dtype)[1]
        elif self.dtype is not None:
            raise InputError("--peak is the peak in the format you train in; drop --dtype")
        machine = Machine(
            peak=peak,
            n_gpus=1 if self.gpus is None else self.gpus,
            mfu=TYPICAL_MFU[1] if self.mfu is None else self.mfu,
            watts=self.watts if self.watts is not None else chip and chip.watts,
            pue=1.0 if self.pue is None else self.pue,
            dollars_per_hour=self.dollars_per_hour,
            dollars_per_kwh=self.dollars_per_kwh,
        )
        if self.mfu is not None:
            return [machine]
        return [replace(machine, mfu=mfu) for mfu in TYPICAL_MFU]


def hardware_options(command: Command) -> Command:
    """Hand a command the machine that its options describe, as `hardware`."""

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        said = {field.name: named.pop(field.name) for field in fields(Hardware)}
        return command(*given, hardware=Hardware(**said), **named)

    wrapped: Any = call
    for option in reversed(_options()):
        wrapped = option(wrapped)
    return wrapped


def price(
    amount: float, hardware: Hardware, *, given: Given = "flops", n_params: float | None = None
) -> tuple[dict[str, object], str]:
    """Price an amount of compute: the JSON document, and the table for people."""
    machines = hardware.machines()
    costs = [price_compute(amount, machine, given=given) for machine in machines]
    middle = costs[len(costs) // 2]
    document: dict[str, object] = {**middle.to_dict(), "n_gpus": machines[0].n_gpus}
    document |= {"accelerator": hardware.accelerator, "peak_flop_per_s": machines[0].peak}
    notes = _notes(hardware, machines[0])
    if len(costs) > 1:
        document |= {"at_low_mfu": costs[0].to_dict(), "at_high_mfu": costs[-1].to_dict()}
    if n_params is not None and hardware.accelerator:
        memory = find_accelerator(hardware.accelerator).memory
        fewest = gpus_for_states(n_params, memory)
        document["min_gpus_for_states"] = fewest
        notes.append(
            f"weights, gradients and Adam's state, 16 bytes a parameter, need {fewest:,} or more "
            f"of {memory / 1e9:.0f} GB"
        )
    document["notes"] = notes
    return document, "\n".join([_table(costs, machines[0].n_gpus), *(f"· {n}" for n in notes)])


def _table(costs: Sequence[ComputeCost], n_gpus: int) -> str:
    lines = {
        "FLOPs": [cost.flops for cost in costs],
        "GPU-hours": [cost.gpu_hours for cost in costs],
        f"days on {n_gpus:,}": [cost.days for cost in costs],
        "dollars": [cost.cost_usd for cost in costs],
        "energy, kWh": [cost.energy_kwh for cost in costs],
        "energy, dollars": [cost.energy_usd for cost in costs],
    }
    rows = [
        [name, *(shorten(value) for value in values if value is not None)]
        for name, values in lines.items()
        if values[0] is not None
    ]
    header = ["at MFU", *(f"{cost.mfu:.3g}" for cost in costs)]
    return format_table(header, rows, right=range(1, len(header)))


def _notes(hardware: Hardware, machine: Machine) -> list[str]:
    notes = []
    if hardware.accelerator:
        chip = find_accelerator(hardware.accelerator)
        own = hardware.peak is not None
        peak = "the peak you gave" if own else f"{chip.peak_in(hardware.dtype)[0]} peak"
        notes.append(f"{peak}, {machine.peak / 1e12:.4g} TFLOP/s dense; {chip.source}")
    if hardware.mfu is None:
        notes.append("the three MFUs are assumed; measure yours and give --mfu")
    if machine.watts is None:
        notes.append("no power is published for this chip; --watts gives energy")
    elif hardware.pue is None:
        notes.append(f"energy at {machine.watts:g} W, accelerators alone; --pue adds the site")
    if machine.dollars_per_hour is None:
        notes.append("no price is assumed; --dollars-per-hour gives dollars")
    return notes


def list_accelerators() -> tuple[list[dict[str, object]], str]:
    """The table of accelerators: the JSON document, and the table for people."""
    document: list[dict[str, object]] = [
        {
            "name": each.name,
            "peak_flop_per_s": dict(each.peak),
            "memory_bytes": each.memory,
            "watts": each.watts,
            "source": each.source,
        }
        for each in ACCELERATORS
    ]
    rows = [
        [
            each.name,
            ", ".join(f"{name} {peak / 1e12:.4g}" for name, peak in each.peak.items()),
            f"{each.memory / 1e9:.0f}",
            "–" if each.watts is None else f"{each.watts:.0f}",
            each.source,
        ]
        for each in ACCELERATORS
    ]
    header = ["accelerator", "dense peak, TFLOP/s", "GB", "W", "source"]
    low, middle, high = TYPICAL_MFU
    tail = (
        f"\nMFU is assumed {low}, {middle} and {high} (nanoGPT, torchtitan, nanochat) unless given"
    )
    return document, format_table(header, rows, right=[2, 3]) + tail


def _options() -> list[Callable[[Any], Any]]:
    return [
        click.option("--accelerator", help="Such as h100; `isoflop cost --list` shows them."),
        click.option("--dtype", help="Number format, such as bf16 or fp8."),
        click.option("--peak", type=AMOUNT, help="FLOP/s of one accelerator, over the table's."),
        click.option("--gpus", type=int, help="How many; 1 by default."),
        click.option("--mfu", type=float, help="Share of the peak reached; a range by default."),
        click.option("--watts", type=AMOUNT, help="Power of one, over the table's."),
        click.option("--pue", type=float, help="Power of the site over the accelerators'; 1."),
        click.option("--dollars-per-hour", type=AMOUNT, help="Price of one for an hour."),
        click.option("--dollars-per-kwh", type=AMOUNT, help="Price of energy."),
    ]
