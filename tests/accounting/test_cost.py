"""Hours, days, dollars and energy against published training runs and the definitions."""

import dataclasses

import pytest

from isoflop.accounting.cost import Machine, gpus_for_states, machine_of, price_compute
from isoflop.accounting.hardware import ACCELERATORS, TYPICAL_MFU, find_accelerator
from isoflop.base.errors import InputError, RefusalError, UnknownNameError

PLAIN = Machine(peak=1e15, n_gpus=8, mfu=0.4, watts=700)


def test_gpt_3_on_1024_a100_takes_34_days() -> None:
    # Narayanan 2021, section 5.1: 8·T·P FLOPs with recomputation, 140 TFLOP/s reached, 34 days.
    reached = 140 / 312
    cost = price_compute(8 * 300e9 * 175e9, machine_of("a100", n_gpus=1024, mfu=reached))
    assert f"{cost.days:.0f}" == "34"


def test_llama_2_70b_hours_and_power_imply_a_utilisation_in_the_assumed_range() -> None:
    # Touvron 2023, table 2: 1,720,320 A100-hours at 400 W for 2T tokens.
    low, _, high = TYPICAL_MFU
    hours = [
        price_compute(6 * 69e9 * 2e12, machine_of("a100", mfu=mfu)).gpu_hours for mfu in (high, low)
    ]
    assert hours[0] < 1_720_320 < hours[1]
    energy = price_compute(1_720_320, machine_of("a100", mfu=0.4), given="gpu_hours").energy_kwh
    assert energy == pytest.approx(688_128)


def test_a_petaflop_day_is_a_day_of_one_petaflop_per_second() -> None:
    cost = price_compute(8.64e19, Machine(peak=1e15, n_gpus=1, mfu=1.0))
    assert (cost.days, cost.gpu_hours) == (1.0, 24.0)
    assert (cost.cost_usd, cost.energy_kwh, cost.energy_usd) == (None, None, None)


def test_dollars_and_energy_follow_the_hours() -> None:
    machine = dataclasses.replace(PLAIN, dollars_per_hour=2.0, pue=1.25, dollars_per_kwh=0.1)
    cost = price_compute(4e14 * 3600 * 1000, machine)
    assert cost.gpu_hours == pytest.approx(1000)
    assert cost.days == pytest.approx(1000 / 24 / 8)
    assert cost.cost_usd == pytest.approx(2000)
    assert cost.energy_kwh == pytest.approx(1000 * 0.7 * 1.25)
    assert cost.energy_usd == pytest.approx(87.5)


@pytest.mark.parametrize("given", ["gpu_hours", "days", "cost_usd"])
def test_what_hours_days_or_dollars_buy_costs_them(given) -> None:
    machine = dataclasses.replace(PLAIN, dollars_per_hour=3.0)
    bought = price_compute(123.0, machine, given=given)
    again = price_compute(bought.flops, machine)
    assert again.to_dict()[given] == pytest.approx(123.0)


def test_dollars_without_a_price_are_refused() -> None:
    with pytest.raises(RefusalError, match="give the dollars of a GPU-hour"):
        price_compute(10.0, PLAIN, given="cost_usd")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mfu": 0.0}, "mfu is the share of the peak"),
        ({"mfu": 40.0}, "found 40"),
        ({"mfu": float("nan")}, "found nan"),
        ({"n_gpus": 0}, "gpus must be a positive integer, found 0"),
        ({"pue": 0.9}, "pue is at least 1"),
        ({"watts": -1.0}, "watts must be positive"),
        ({"peak": 0.0}, "peak must be positive"),
    ],
)
def test_a_machine_that_cannot_be_is_refused(change: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        dataclasses.replace(PLAIN, **change)


def test_an_amount_must_be_positive() -> None:
    with pytest.raises(InputError, match="flops must be positive, found -1"):
        price_compute(-1.0, PLAIN)


def test_states_of_a_model_are_16_bytes_a_parameter() -> None:
    # Rajbhandari 2019: 7.5B parameters take 120 GB.
    assert gpus_for_states(7.5e9, 120e9) == 1
    assert gpus_for_states(7.5e9, 119e9) == 2


@pytest.mark.parametrize("chip", ACCELERATORS, ids=lambda chip: chip.name)
def test_a_chip_names_its_source_and_trains_in_16_bits(chip) -> None:
    assert next(iter(chip.peak)) in ("bf16", "fp16")
    assert chip.source
    assert 1e13 < chip.peak_in(None)[1] < 3e15
    assert 16e9 <= chip.memory <= 192e9
    assert chip.watts is None or 70 <= chip.watts <= 1000
    assert find_accelerator(chip.name.upper()) is chip


def test_unknown_chips_and_formats_name_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="did you mean h100"):
        find_accelerator("h1000")
    with pytest.raises(InputError, match="v100 has no bf16 peak in the table; known: fp16, fp32"):
        find_accelerator("v100").peak_in("bf16")
