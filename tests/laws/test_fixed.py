"""Constants that are known are held; the rest is fitted around them."""

import numpy as np
import pytest
from planted import SURFACES, grid_design, isoflop_design, make_table, table_of

import isoflop
from isoflop.base.errors import InputError, RunTableError
from isoflop.fitting.fit import Fit
from isoflop.fitting.parametric import FitSpec
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.described import describe_law, restore_law
from isoflop.laws.fixed import FixedLaw, fix_constants, parse_fixed
from isoflop.laws.formula.formula import FormulaLaw
from isoflop.laws.power import PowerConstantLaw
from isoflop.testing import LawCase, LawContract

EPOCH = SURFACES["epoch"]
POINT = FitSpec(isoflop.Objective("squared"), n_resamples=0)


class TestFixedLaws(LawContract):
    cases = (
        LawCase(
            fix_constants(ChinchillaLaw(), {"E": 1.8172}),
            [[482.01, 2085.43, 0.3478, 0.3658]],
            label="chinchilla, E",
        ),
        LawCase(
            fix_constants(ChinchillaLaw(), {"alpha": 0.3478, "B": 2085.43}),
            [[1.8172, 482.01, 0.3658]],
            label="chinchilla, alpha and B",
        ),
        LawCase(
            fix_constants(FormulaLaw.parse("E + A/N**alpha + B/D**beta"), {"beta": 0.28}),
            [[1.69, 406.4, 0.34, 410.7]],
            label="formula, beta",
        ),
    )


def test_a_fit_with_a_held_constant_is_the_best_of_all_with_that_constant() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005)
    held = isoflop.fit(table, "chinchilla", spec=POINT, fixed={"E": 1.7})
    theta = held.theta
    predicted = held.law.predict(theta, {n: table.numbers(n) for n in held.law.variables})
    expected = np.sum((np.log(predicted) - np.log(table.numbers("loss"))) ** 2) / 2
    assert held.objective_value == pytest.approx(expected, rel=1e-12)
    free = isoflop.fit(table, "chinchilla", spec=POINT)
    assert held.objective_value > free.objective_value
    for step in np.eye(4) * 1e-4:
        moved = held.law.predict(
            theta * (1 + step), {n: table.numbers(n) for n in held.law.variables}
        )
        assert np.sum((np.log(moved) - np.log(table.numbers("loss"))) ** 2) / 2 > expected


def test_holding_every_constant_where_the_free_fit_puts_it_changes_nothing() -> None:
    table = make_table(EPOCH, *isoflop_design(EPOCH, points=9), noise=0.005)
    free = isoflop.fit(table, "chinchilla", spec=POINT)
    for name, estimate in free.params.items():
        held = isoflop.fit(table, "chinchilla", spec=POINT, fixed={name: estimate.value})
        assert held.objective_value == pytest.approx(free.objective_value, rel=1e-9)


def test_a_held_constant_is_shown_saved_and_planned_with(tmp_path) -> None:
    table = make_table(EPOCH, *grid_design(), noise=0.003)
    spec = FitSpec(n_resamples=20, n_starts=8)
    fit = isoflop.fit(table, "chinchilla", spec=spec, fixed={"E": 1.8172, "alpha": 0.3478})
    assert isinstance(fit, Fit)
    assert fit.law.name == "chinchilla"
    assert "with E = 1.8172, alpha = 0.3478" in str(fit)
    assert fit.to_dict()["derived"]["E"]["value"] == 1.8172  # type: ignore[index]
    path = isoflop.write_fit(fit, tmp_path / "law.json")
    read = isoflop.read_fit(path)
    assert read.law == fit.law
    assert isoflop.write_fit(read, tmp_path / "2.json").read_bytes() == path.read_bytes()
    plan = isoflop.plan_budget(read, 1e21)
    assert plan.to_dict() == isoflop.plan_budget(fit, 1e21).to_dict()


def test_runs_below_a_held_irreducible_loss_are_named() -> None:
    N = np.geomspace(1e7, 1e10, 9)
    loss = 1.5 + 40 * N**-0.25
    table = table_of(n_params=N, loss=loss)
    below = np.flatnonzero(loss <= 1.69) + 1
    assert below.tolist() == [8, 9]
    for law, fixed in (
        ("power-constant", {"E": 1.69}),
        ("E + A/N**alpha", {"E": 1.69}),
        ("A/N**alpha + E", {"E": 1.69, "alpha": 0.25}),
    ):
        with pytest.raises(RunTableError) as refused:
            isoflop.fit(table, law, over=None, spec=POINT, fixed=fixed)
        assert str(refused.value) == (
            f"memory row 8 `loss`: found {loss[7]:g} (and row 9), not above E = 1.69 as fixed; "
            "lower it, leave it free, or drop the runs"
        )
    law = FormulaLaw.parse("E + A/N**alpha", params=["E=1.69..3"])
    with pytest.raises(RunTableError, match=r"row 9\), not above E = 1.69 as bounded"):
        isoflop.fit(table, law, spec=POINT)


def test_a_constant_that_is_no_floor_is_none() -> None:
    N = np.geomspace(1e7, 1e10, 9)
    table = table_of(n_params=N, loss=1.5 + 40 * N**-0.25)
    fit = isoflop.fit(table, "power-constant", spec=POINT, fixed={"A": 40.0})
    assert fit.params["alpha"].value == pytest.approx(0.25, rel=1e-8)
    falling = FormulaLaw.parse("E - A*log(N)")
    fit = isoflop.fit(table, falling, spec=POINT, fixed={"E": 5.0})
    assert fit.params["A"].value > 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gamma": 1.0}, "unknown constant of chinchilla 'gamma'"),
        ({"E": -1.0}, "E = -1 lies outside its bounds 0 … 10000"),
        ({"alpha": 5.0}, "alpha = 5 lies outside its bounds 0.001 … 4"),
        (
            {"E": 1.0, "A": 1.0, "B": 1.0, "alpha": 1.0, "beta": 1.0},
            "all 5 constants of chinchilla are fixed; none is left to fit",
        ),
    ],
)
def test_what_cannot_be_held_is_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(InputError) as refused:
        fix_constants(ChinchillaLaw(), values)
    assert str(refused.value).startswith(message)


def test_holding_more_constants_of_a_held_law_holds_them_all() -> None:
    once = fix_constants(ChinchillaLaw(), {"E": 1.8, "A": 400.0})
    twice = fix_constants(fix_constants(ChinchillaLaw(), {"A": 400.0}), {"E": 1.8})
    assert twice == once


@pytest.mark.parametrize("text", ["E", "E=", "=1", "E=x", "E=nan", "E=1e999", "E=1_0", "E=1,A"])
def test_a_value_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="--fix wants NAME=NUMBER"):
        parse_fixed([text])


def test_a_description_of_a_held_law_is_checked_like_any_other() -> None:
    law = fix_constants(PowerConstantLaw("n_params"), {"E": 1.0})
    assert isinstance(law, FixedLaw)
    document = describe_law(law)
    assert document["name"] == "fixed"
    assert restore_law(document) == law
    document["fields"]["values"] = [["E", -3.0]]
    with pytest.raises(InputError, match="outside its bounds"):
        restore_law(document)
