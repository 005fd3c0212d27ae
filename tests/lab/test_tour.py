import itertools

import numpy as np
import pytest

pytest.importorskip("torch")

from isoflop.accounting.flops import flops_per_token
from isoflop.base.errors import InputError
from isoflop.lab.engines import probe as probe_module
from isoflop.lab.engines.probe import Probe, probe_machine
from isoflop.lab.price.cost import ladder_seconds
from isoflop.lab.tour import LEVELS, level_ladder, tour_ladder


@pytest.mark.parametrize("level", LEVELS, ids=lambda level: str(level.number))
def test_every_budget_has_five_sizes_that_spend_it(level) -> None:
    ladder = level_ladder(level)
    spent = {}
    for run in ladder.runs():
        if run.seed == 0:
            budget = min(level.flops, key=lambda flops: abs(np.log(flops / run.flops)))
            assert run.flops == pytest.approx(budget, rel=0.03)
            spent.setdefault(budget, []).append(run.params.non_embedding)
    assert sorted(spent) == sorted(level.flops)
    for sizes in spent.values():
        assert len(sizes) == 5
        assert max(sizes) / min(sizes) > 5


def test_the_default_level_is_robust_to_what_the_probe_measures() -> None:
    rates = np.linspace(1.7e11, 4.2e11, 20)
    names = {tour_ladder(6, probe=Probe("cpu", "bfloat16", rate, 2)).name for rate in rates}
    assert names == {"tour-1.0e12"}


def test_the_default_design_is_the_one_that_was_measured() -> None:
    ladder = tour_ladder(6, probe=Probe("cpu", "bfloat16", 2.2e11, 2))
    assert [rung.name for rung in ladder.rungs] == [
        f"d{width}" for width in (12, 16, 24, 32, 40, 48, 64, 80)
    ]
    assert sum(1 for _ in ladder.runs()) == 40
    assert min(rung.token_budgets[0] for rung in ladder.rungs) > 400_000
    assert ladder.recipe.batch_tokens == 256


def test_more_minutes_never_give_a_smaller_ladder_nor_one_that_takes_longer() -> None:
    probe = Probe("cpu", "float32", 8e10, 4)
    ladders = [tour_ladder(minutes, probe=probe) for minutes in (1, 3, 6, 12, 60)]
    for small, large in itertools.pairwise(ladders):
        assert small.flops <= large.flops
    for minutes, ladder in zip((3, 6, 12, 60), ladders[1:], strict=True):
        assert ladder_seconds(ladder, 8e10, 4) <= 60 * minutes


def test_a_few_seconds_still_give_a_ladder() -> None:
    ladder = tour_ladder(0.2, probe=Probe("cpu", "bfloat16", 2.2e11, 2))
    assert ladder.name == level_ladder(LEVELS[0]).name
    assert ladder.flops < 1e12


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_minutes_must_be_a_positive_number(minutes) -> None:
    with pytest.raises(InputError, match="minutes"):
        tour_ladder(minutes)


def test_the_probe_chooses_bfloat16_only_with_the_units_and_a_clear_gain(monkeypatch) -> None:
    rates = {"float32": 1.0, "bfloat16": 4.0}
    monkeypatch.setattr(
        probe_module, "_rate", lambda device, dtype, side=512: rates[str(dtype)[6:]]
    )
    monkeypatch.setattr(probe_module, "_has_bf16_units", lambda: True)
    assert (probe_machine().precision, probe_machine().flop_per_s) == ("bfloat16", 4.0)
    rates["bfloat16"] = 1.4
    assert (probe_machine().precision, probe_machine().flop_per_s) == ("float32", 1.0)
    rates["bfloat16"] = 4.0
    monkeypatch.setattr(probe_module, "_has_bf16_units", lambda: False)
    assert probe_machine().precision == "float32"


def test_the_probe_takes_well_under_a_second_and_finds_a_rate() -> None:
    probe = probe_machine()
    assert probe.flop_per_s > 1e8
    assert probe.workers >= 1


def test_flops_of_a_budget_are_the_exact_matmul_count() -> None:
    run = next(level_ladder(LEVELS[0]).runs())
    assert run.flops == flops_per_token(run.rung.architecture).matmul * run.n_tokens


@pytest.mark.parametrize(
    ("text", "cores"),
    [("200000 100000", 2), ("50000 100000", 1), ("max 100000", 2**16), ("", 2**16)],
)
def test_a_containers_quota_bounds_the_cores(tmp_path, text, cores) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert probe_module._quota(tmp_path / "cpu.max") == cores
