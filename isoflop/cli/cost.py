"""`isoflop cost`: accelerator-hours, days, dollars and energy of an amount of compute."""

import click

from isoflop.accounting.cost import Given
from isoflop.base.errors import InputError
from isoflop.cli.amount import AMOUNT
from isoflop.cli.hardware_options import Hardware, hardware_options, list_accelerators, price
from isoflop.cli.output import json_option, show


@click.command("cost")
@click.option("--flops", type=AMOUNT, help="Training compute, FLOPs.")
@click.option("--gpu-hours", type=AMOUNT, help="Or the hours of one accelerator you have.")
@click.option("--days", type=AMOUNT, help="Or the days of the whole machine.")
@click.option("--dollars", type=AMOUNT, help="Or the dollars to spend on accelerators.")
@hardware_options
@click.option("--list", "list_chips", is_flag=True, help="List the accelerators.")
@json_option
def command(
    flops: float | None,
    gpu_hours: float | None,
    days: float | None,
    dollars: float | None,
    hardware: Hardware,
    list_chips: bool,
    as_json: bool,
) -> None:
    """Price compute on accelerators, or find the FLOPs that hours, days or dollars buy.

    Peaks, memory and power are from data sheets; the share of the peak that training reaches is
    an assumption, shown as a range unless --mfu is given; no price is assumed.

    \b
    Example:
      isoflop cost --flops 3.14e23 --accelerator h100 --gpus 1024 --dollars-per-hour 2
      isoflop cost --dollars 10000 --accelerator h100 --mfu .4 --dollars-per-hour 2
      isoflop cost --list
    \b
    Python:
      isoflop.price_compute(3.14e23, isoflop.machine_of("h100", n_gpus=1024, mfu=0.4))
    """
    if list_chips:
        show(*list_accelerators(), as_json=as_json)
        return
    given: dict[Given, float] = {}
    for name, amount in _amounts(flops, gpu_hours, days, dollars):
        if amount is not None:
            given[name] = amount
    if len(given) != 1:
        raise InputError("give one of --flops, --gpu-hours, --days, --dollars")
    if dollars is not None and hardware.dollars_per_hour is None:
        raise InputError("--dollars buy hours at a price; give --dollars-per-hour")
    for name, amount in given.items():
        show(*price(amount, hardware, given=name), as_json=as_json)


def _amounts(
    flops: float | None, gpu_hours: float | None, days: float | None, dollars: float | None
) -> list[tuple[Given, float | None]]:
    return [("flops", flops), ("gpu_hours", gpu_hours), ("days", days), ("cost_usd", dollars)]
