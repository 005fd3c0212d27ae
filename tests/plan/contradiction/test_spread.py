"""How far the crossing may lie: rounding in closed form, errors by linear propagation, fits."""

from dataclasses import replace

import numpy as np
import pytest

from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.base.units import PF_DAY
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.frontiers.isoflop import fit_isoflop
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.saved import write_fit
from isoflop.fitting.solve.solver import Outcome
from isoflop.laws.catalog import CATALOG, find_published
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.plan.contradiction.crossing import find_crossing
from isoflop.plan.contradiction.printed_digits import move_constants, read_printed
from isoflop.plan.contradiction.rules import take_rule, tokens_per_param_rule
from isoflop.plan.contradiction.solve import solve_crossing, solve_draws
from isoflop.plan.contradiction.spread import CrossingSpread, quantile_interval
from isoflop.plan.contradiction.trend import (
    READS,
    suitable_names,
    take_trend,
)
from isoflop.runs.table import RunTable

TRUTH_C = (3.1e8 * PF_DAY, 0.050)
TRUTH_D = (5.4e13, 0.095)


def kaplan(C_c=3.1e8, alpha_C=0.05, D_c=5.4e13, alpha_D=0.095, D_e=2e10, p=0.27):
    """C* in PF-days, by hand: (C_c/C)^alpha_C = (D_c/(D_e·C^p))^alpha_D."""
    log_C = alpha_C * np.log(C_c) - alpha_D * np.log(D_c / D_e)
    return np.exp(log_C / (alpha_C - alpha_D * p))


def made(scale, exponent, variable, ends, n, noise, seed):
    x = np.geomspace(*ends, n)
    rng = np.random.default_rng(seed)
    loss = (scale / x) ** exponent * np.exp(noise * rng.standard_normal(n))
    rows = [{variable: a, "loss": b} for a, b in zip(x, loss, strict=True)]
    return RunTable.from_records(rows, source=f"{variable}.csv")


def fitted(noise=0.003, seed=0, n_resamples=300):
    tables = (
        made(*TRUTH_C, "flops", (1e17, 1e22), 16, noise, 2 * seed),
        made(*TRUTH_D, "n_tokens", (2e7, 2e10), 14, noise, 2 * seed + 1),
    )
    spec = FitSpec(n_resamples=n_resamples, n_starts=8)
    laws = (PowerLaw("flops"), PowerLaw("n_tokens"))
    return [fit_parametric(t, law, spec) for t, law in zip(tables, laws, strict=True)]


@pytest.fixture(scope="module")
def fits():
    return fitted()


EXACT_RULES = {
    role: take_trend(name, role)
    for role, name in (("tokens_rule", "kaplan-2020-d-opt"), ("params_rule", "kaplan-2020-n-opt"))
}


@pytest.mark.parametrize(
    ("constant", "low", "high"),
    [
        ("C_c_min", {"C_c": 3.05e8}, {"C_c": 3.15e8}),
        ("alpha_C_min", {"alpha_C": 0.0495}, {"alpha_C": 0.0505}),
        ("D_c", {"D_c": 5.45e13}, {"D_c": 5.35e13}),
        ("alpha_D", {"alpha_D": 0.0955}, {"alpha_D": 0.0945}),
        ("D_e", {"D_e": 1.5e10}, {"D_e": 2.5e10}),
        ("p_D", {"p": 0.265}, {"p": 0.275}),
    ],
)
def test_rounding_alone_moves_the_crossing_to_the_ends_of_what_may_have_been_printed(
    constant: str, low: dict[str, float], high: dict[str, float]
) -> None:
    part = next(p for p in find_crossing().parts if p.constant == constant)
    ends = np.array([part.flops.low, part.flops.high]) / PF_DAY
    assert ends == pytest.approx([kaplan(**low), kaplan(**high)], rel=1e-9)


def test_rounding_of_alpha_is_the_one_per_cent_of_the_sensitivity() -> None:
    part = next(p for p in find_crossing().parts if p.constant == "alpha_C_min")
    low, high = part.to_dict()["pf_days"]
    assert (f"{low:.1e}", f"{high:.2e}") == ("9.0e+03", "1.37e+04")


def test_the_interval_of_rounding_is_that_of_constants_drawn_evenly() -> None:
    rng = np.random.default_rng(5)
    ends = {
        "C_c": (3.05e8, 3.15e8),
        "alpha_C": (0.0495, 0.0505),
        "D_c": (5.35e13, 5.45e13),
        "alpha_D": (0.0945, 0.0955),
        "D_e": (1.5e10, 2.5e10),
        "p": (0.265, 0.275),
    }
    drawn = kaplan(**{name: rng.uniform(*span, 100_000) for name, span in ends.items()})
    found = find_crossing(spread=CrossingSpread(n_draws=40_000)).pf_days
    expected = np.quantile(drawn, [0.05, 0.95]).tolist()
    assert expected == pytest.approx([found.low, found.high], rel=0.02)


def test_exponents_alone_leave_less_open_than_all_constants() -> None:
    found = {
        which: find_crossing(spread=CrossingSpread(rounding=which))
        for which in ("exponents", "constants")
    }
    widths = {which: f.pf_days.high / f.pf_days.low for which, f in found.items()}
    assert widths["exponents"] < 2 < widths["constants"]
    assert {p.constant for p in found["exponents"].parts} == {"alpha_C_min", "alpha_D", "p_D"}


def test_given_errors_propagate_as_first_order_theory_says() -> None:
    errors = {"compute_law": 2e-4, "data_law": 3e-4, "tokens_rule": 1e-3}
    spread = CrossingSpread(errors, rounding="ignored", n_draws=40_000)
    found = find_crossing(spread=spread)
    step = 1e-7
    slopes = [
        (np.log(kaplan(**{name: value + step})) - np.log(kaplan(**{name: value - step}))) / 2 / step
        for name, value in (("alpha_C", 0.05), ("alpha_D", 0.095), ("p", 0.27))
    ]
    sigma = np.hypot.reduce(np.array(slopes) * np.array(list(errors.values())))
    width = np.log(found.flops.high / found.flops.low)
    assert width == pytest.approx(2 * 1.6449 * sigma, rel=0.03)
    assert found.assumed["data_law"] == "standard error of the exponent 0.0003, as given"
    assert [part.constant for part in found.parts] == ["exponent"] * 3


def test_draws_that_never_cross_leave_the_upper_end_open() -> None:
    found = find_crossing(spread=CrossingSpread({"compute_law": 0.02}, rounding="ignored"))
    # alpha_C below .095·.27 = .02565 never crosses: P(z < -1.2175) = .1117
    assert found.share_crossing == pytest.approx(1 - 0.1117, abs=0.02)
    assert found.flops.high == np.inf
    assert found.to_dict()["flops"]["high"] is None
    assert any("never cross in" in note for note in found.notes)
    assert found.loss.low is not None
    assert found.loss.low < 1e-3


def test_seeds_repeat_and_differ() -> None:
    first, again, other = (
        find_crossing(spread=CrossingSpread(seed=seed)).flops for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


def test_quantiles_keep_what_is_infinite() -> None:
    draws = np.array([1.0, 2.0, 3.0, np.inf, np.inf])
    found = quantile_interval(2.0, draws, level=0.5)
    assert (found.low, found.high) == (2.0, np.inf)
    assert quantile_interval(2.0, draws[:3], level=0.9, stretch=2.0).high == pytest.approx(4.5)


def test_fits_cross_where_their_own_constants_say(fits) -> None:
    found = find_crossing(*fits, spread=CrossingSpread(rounding="ignored"))
    (A_C, alpha_C), (A_D, alpha_D) = (fit.theta for fit in fits)
    by_hand = kaplan(A_C ** (1 / alpha_C) / PF_DAY, alpha_C, A_D ** (1 / alpha_D), alpha_D)
    assert found.pf_days.value == pytest.approx(by_hand, rel=1e-9)
    assert found.pf_days.low < kaplan() < found.pf_days.high
    roles = [(part.role, part.constant) for part in found.parts]
    assert roles == [("compute_law", "all constants"), ("data_law", "all constants")]
    beyond = found.flops.value / 1e22
    assert any(f"lies {beyond:.3g}"[:8] in note for note in found.notes)


def test_fits_and_their_files_give_the_same_answer(fits, tmp_path) -> None:
    paths = [str(write_fit(fit, tmp_path / f"{k}.json")) for k, fit in enumerate(fits)]
    assert find_crossing(*paths).to_dict()["flops"] == find_crossing(*fits).to_dict()["flops"]


@pytest.mark.study
def test_ninety_per_cent_intervals_hold_the_crossing_about_as_often() -> None:
    spread = CrossingSpread(rounding="ignored", n_draws=2000)
    held = 0
    for seed in range(100):
        found = find_crossing(*fitted(seed=seed), spread=spread)
        held += found.pf_days.low <= kaplan() <= found.pf_days.high
    assert 82 <= held <= 99


def test_an_interval_widens_with_the_noise() -> None:
    widths = []
    for noise in (0.001, 0.004):
        flops = find_crossing(*fitted(noise=noise), spread=CrossingSpread(rounding="ignored")).flops
        widths.append(np.log(flops.high / flops.low))
    assert widths[1] == pytest.approx(4 * widths[0], rel=0.35)


def test_fits_without_draws_are_said_to_be_taken_as_exact() -> None:
    found = find_crossing(*fitted(n_resamples=0), spread=CrossingSpread(rounding="ignored"))
    assert found.flops.low is None
    assert sum("taken as exact" in note for note in found.notes) == 2


def test_twenty_tokens_a_parameter_is_the_optimum_of_its_cost() -> None:
    tokens, params = (tokens_per_param_rule(20.0, role) for role in ("tokens_rule", "params_rule"))
    for flops in (1e18, 1e24):
        assert tokens.at(flops) / params.at(flops) == pytest.approx(20.0)
        assert 6 * tokens.at(flops) * params.at(flops) == pytest.approx(flops)


@pytest.fixture(scope="module")
def joint():
    theta = np.array([1.8172, 482.01, 2085.43, 0.3478, 0.3658])
    C = np.repeat(np.geomspace(1e18, 1e21, 4), 7)
    N = 0.1 * np.sqrt(C) * np.tile(np.geomspace(0.25, 4, 7), 4)
    rows = {"n_params": N, "n_tokens": C / (6 * N), "flops": C}
    loss = ChinchillaLaw().predict(theta, rows)
    loss = loss * np.exp(0.001 * np.random.default_rng(0).standard_normal(len(C)))
    columns = {**rows, "loss": loss}
    records = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return RunTable.from_records(records, source="joint.csv")


def test_rules_come_from_the_optimum_of_a_joint_fit(joint) -> None:
    fit = fit_parametric(joint, ChinchillaLaw(), FitSpec(n_resamples=50, n_starts=8))
    tokens, params = (take_rule(fit, role) for role in ("tokens_rule", "params_rule"))
    _, A, B, alpha, beta = fit.theta
    N = (alpha * A / (beta * B)) ** (1 / (alpha + beta)) * (1e23 / 6) ** (beta / (alpha + beta))
    assert params.at(1e23) == pytest.approx(N, rel=1e-9)
    assert tokens.at(1e23) == pytest.approx(1e23 / (6 * N), rel=1e-9)
    assert len(tokens.draws) == len(fit.draws)


def test_rules_come_from_a_frontier(joint) -> None:
    frontier = fit_isoflop(joint, FitSpec(n_resamples=20))
    n_params, n_tokens, _ = frontier.optimum(1e23)
    assert take_rule(frontier, "params_rule").at(1e23) == pytest.approx(n_params.value)
    assert take_rule(frontier, "tokens_rule").at(1e23) == pytest.approx(n_tokens.value)
    with pytest.raises(InputError, match="data_law must predict a loss"):
        take_trend(frontier, "data_law")


def test_a_law_with_a_constant_gives_the_same_draws_on_the_grid_as_in_closed_form() -> None:
    trio = tuple(
        take_trend(name, role)
        for role, name in zip(
            READS, ("kaplan-2020-l-cmin", "kaplan-2020-l-d", "kaplan-2020-d-opt"), strict=False
        )
    )
    rng = np.random.default_rng(0)
    moved = move_constants(trio[0], {"exponent": rng.uniform(-5e-4, 5e-4, 20)})
    others = [np.repeat(trend.theta[None], 20, axis=0) for trend in trio[1:]]
    closed = solve_draws(trio, (moved, *others))
    constant = take_trend("kaplan-2020-l-cmin", "compute_law")
    numeric = type(constant)(
        **{
            **vars(constant),
            "law": PowerConstantLaw("flops"),
            "theta": np.array([0.0, *constant.theta]),
        }
    )
    padded = np.column_stack([np.zeros(20), moved])
    found = solve_draws((numeric, *trio[1:]), (padded, *others))
    assert found == pytest.approx(closed, rel=1e-4)
    assert solve_crossing((numeric, *trio[1:])) == pytest.approx(solve_crossing(trio), rel=1e-9)


@pytest.mark.parametrize("role", READS)
def test_printed_constants_moved_by_nothing_are_the_catalogs(role: str) -> None:
    for name in suitable_names(role):
        trend = take_trend(name, role)
        for constant in read_printed(trend):
            moved = move_constants(trend, {constant.kind: np.zeros(1)})
            assert moved[0] == pytest.approx(CATALOG[name].theta, rel=1e-9)
            assert 0 < constant.half_unit <= 0.5 * constant.value


def test_a_published_theory_derived_from_other_constants_has_no_rounding_of_its_own() -> None:
    assert read_printed(take_trend("kaplan-2020-theory-l-cmin", "compute_law")) == ()
    found = find_crossing("kaplan-2020-theory-l-cmin")
    assert found.assumed["compute_law"] == "taken as exact"


def test_a_chinchilla_frontier_stays_above_a_floorless_data_law() -> None:
    with pytest.raises(RefusalError, match="does not fall below"):
        find_crossing("besiroglu-2024-l-c")


def test_a_compute_law_below_the_data_law_everywhere_is_said_so() -> None:
    low = replace(
        find_published("kaplan-2020-l-cmin"),
        name="low",
        law=PowerConstantLaw("flops"),
        theta=np.array([0.0, 1e-3, 1e-3]),
    )
    with pytest.raises(RefusalError, match="low lies below kaplan-2020-l-d"):
        find_crossing(low)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"exponent_errors": {"data_law": -1.0}}, "a standard error is 0 or more, found -1"),
        ({"exponent_errors": {"loss": 0.1}}, "errors are of compute_law, data_law"),
        ({"rounding": "some"}, "rounding is constants, exponents or ignored"),
        ({"level": 1.0}, "a level lies between 0 and 1"),
        ({"n_draws": 1}, "at least 2 draws"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CrossingSpread(**settings)


def test_losses_in_two_units_are_refused(fits, tmp_path) -> None:
    rows = [
        {"n_tokens": x, "loss": 5 * x**-0.05, "loss_unit": "bits/byte"}
        for x in np.geomspace(1e7, 1e10, 9)
    ]
    table = RunTable.from_records(rows)
    write_runs(table, tmp_path / "bits.csv")
    bits = fit_parametric(table, PowerLaw("n_tokens"), FitSpec(n_resamples=0, n_starts=4))
    with pytest.raises(InputError, match=r"in nats/token and .* in bits/byte"):
        find_crossing(fits[0], bits)


def test_an_unknown_name_suggests_a_law_that_fits_the_role() -> None:
    with pytest.raises(UnknownNameError, match="did you mean kaplan-2020-l-d"):
        take_trend("kaplan-2020-l-dd", "data_law")
    with pytest.raises(UnknownNameError, match="known: kaplan-2020-l-d, kaplan-2020-l-d-table-2"):
        take_trend("nobody", "data_law")


def test_fits_that_say_nothing_are_refused(fits) -> None:
    lost = replace(fits[0], outcome=Outcome.NOT_CONVERGED)
    with pytest.raises(RefusalError, match=r"nothing can be decided from flops\.csv"):
        find_crossing(lost, fits[1])


def test_a_rule_from_a_law_without_a_closed_optimum_is_refused(fits) -> None:
    with pytest.raises(InputError, match="has no optimum of closed form"):
        take_rule(fits[1], "tokens_rule")
