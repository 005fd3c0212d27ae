"""Two recipes: planted multipliers come back, intervals cover, equals are not told apart."""

import math

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, table_of

from isoflop.base.errors import InputError, RefusalError, RunTableError
from isoflop.cli.race import race_text
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.forms import find_form
from isoflop.plan.race.loss_curve import loss_curve, root_between
from isoflop.plan.race.minima import Meeting, why_withheld
from isoflop.plan.race.race import race_runs
from isoflop.runs.table import RunTable

EPOCH = SURFACES["epoch"]
N, D = isoflop_design(EPOCH, points=9, budgets=np.geomspace(1e18, 1e21, 5))
C = np.geomspace(1e17, 1e21, 16)
SPEC = FitSpec(n_resamples=120, n_starts=24)
POINT = FitSpec(n_resamples=0, n_starts=24)


def faster(theta, m: float, E: float | None = None):
    """The surface of a recipe that needs 1/m of the compute, at every loss.

    Scaling N by m^a and D by m^b moves the loss of every optimum from C to m·C.
    """
    _, A, B, alpha, beta = theta
    a = beta / (alpha + beta)
    return (E or theta[0], A * m ** (-alpha * a), B * m ** (-beta * (1 - a)), alpha, beta)


def joint(m: float = 1.0, *, noise: float = 0.0, seed: int = 0, E: float | None = None):
    return make_table(faster(EPOCH, m, E), N, D, noise=noise, seed=seed)


def single(m: float = 1.0, *, noise: float = 0.0, seed: int = 0) -> RunTable:
    rng = np.random.default_rng(seed)
    loss = (1.7 + 2000 * (m * C) ** -0.15) * np.exp(noise * rng.standard_normal(len(C)))
    return table_of(flops=C, loss=loss)


@pytest.mark.parametrize("make", [joint, single])
@pytest.mark.parametrize("m", [0.5, 1.3, 4.0])
def test_a_planted_multiplier_is_found_at_every_budget(make, m: float) -> None:
    race = race_runs(make(), make(m), spec=POINT)
    assert [lap.multiplier for lap in race.laps] == pytest.approx([m] * 7, rel=1e-5)
    assert race.crossing is None
    for exponent in race.exponents:
        assert exponent.difference.value == pytest.approx(0, abs=1e-6)


def test_seven_budgets_two_of_them_ahead_of_the_runs() -> None:
    race = race_runs(joint(), joint(2.0), spec=POINT)
    assert [lap.flops for lap in race.laps[:5]] == pytest.approx(
        np.geomspace(1e18, 1e21, 5), rel=1e-2
    )
    assert [lap.extrapolated for lap in race.laps] == [False] * 5 + [True] * 2
    assert [lap.flops for lap in race_runs(joint(), joint(), spec=POINT, flops=(3e19,)).laps] == [
        3e19
    ]


def test_without_draws_nobody_wins() -> None:
    race = race_runs(joint(), joint(2.0), spec=POINT)
    assert race.distinguishable is None
    assert (race.laps[0].low, race.exponents[0].p_value) == (None, None)
    assert "no intervals were asked for" in race.verdict


def test_the_faster_recipe_wins_and_the_verdict_says_by_how_much() -> None:
    race = race_runs(joint(noise=0.004, seed=1), joint(2.0, noise=0.004, seed=2), spec=SPEC)
    assert race.distinguishable
    assert race.verdict.startswith("B wins: at 1.00e21 flops A spends ")
    inside = [lap for lap in race.laps if not lap.extrapolated]
    assert all(lap.settled and lap.low <= 2 <= lap.high for lap in inside)
    swapped = race_runs(joint(2.0, noise=0.004, seed=2), joint(noise=0.004, seed=1), spec=SPEC)
    assert swapped.verdict.startswith("A wins: ")
    assert swapped.laps[2].multiplier == pytest.approx(1 / race.laps[2].multiplier, rel=0.02)


@pytest.mark.parametrize("make", [joint, single])
def test_the_verdict_does_not_depend_on_the_budgets_listed(make) -> None:
    tables = make(noise=0.003, seed=1), make(2.0, noise=0.003, seed=2)
    race = race_runs(*tables, spec=SPEC)
    ahead = race_runs(*tables, spec=SPEC, flops=(1e24,))
    assert [lap.flops for lap in ahead.laps] == [1e24]
    assert len(ahead.measured) == 5
    assert ahead.verdict == race.verdict
    assert ahead.verdict.startswith("B wins: ")


@pytest.mark.parametrize("spec", [SPEC, POINT])
def test_a_table_against_itself_has_no_crossing(spec: FitSpec) -> None:
    table = joint(noise=0.004, seed=1)
    race = race_runs(table, table, spec=spec, flops=(1e22,))
    assert race.crossing is None
    assert race.laps[0].multiplier == pytest.approx(1, rel=1e-3)
    assert race.distinguishable is (False if spec is SPEC else None)


def test_a_root_of_rounding_is_an_end_and_of_nothing_infinite() -> None:
    assert root_between(lambda x: x - 2, 0.0, 5.0) == pytest.approx(2)
    assert root_between(lambda x: 1e-17 * (1 + x), 0.0, 5.0) == 0.0
    assert root_between(lambda x: 0.0, 1.0, 5.0) == 1.0
    assert root_between(lambda x: math.nan if x > 1 else 1.0, 0.0, 5.0) == 0.0
    assert root_between(lambda x: math.nan, 0.0, 5.0) == math.inf


def test_a_curve_is_inverted_at_its_own_ends() -> None:
    curve = loss_curve(fit_parametric(joint(), find_form("chinchilla"), POINT))
    for end in (curve.grid[0], curve.grid[-1]):
        assert curve.compute_for(curve.loss_at(float(end))) == pytest.approx(end, rel=1e-6)
    assert math.isinf(curve.compute_for(0.1))
    assert math.isinf(curve.compute_for(math.nan))


def coverage(make, m: float, noise: float, studies: int) -> tuple[float, float, float]:
    """Share of laps whose interval holds m, inside and ahead; share told apart."""
    inside, ahead, apart = [], [], 0
    for seed in range(studies):
        tables = make(noise=noise, seed=2 * seed), make(m, noise=noise, seed=2 * seed + 1)
        race = race_runs(*tables, spec=FitSpec(n_resamples=100, n_starts=24, seed=seed))
        apart += bool(race.distinguishable)
        for lap in race.laps:
            (ahead if lap.extrapolated else inside).append(lap.low <= m <= lap.high)
    return float(np.mean(inside)), float(np.mean(ahead)), apart / studies


def test_intervals_cover_and_equals_are_seldom_told_apart() -> None:
    inside, ahead, apart = coverage(joint, 1.0, 0.005, 30)
    assert inside > 0.8
    assert ahead > 0.75
    assert apart <= 0.23  # of a true 10 %, more once in fifty


@pytest.mark.study
@pytest.mark.parametrize("make", [joint, single])
@pytest.mark.parametrize("m", [1.0, 1.3])
def test_coverage_in_two_hundred_studies(make, m: float) -> None:
    inside, ahead, apart = coverage(make, m, 0.005 if make is joint else 0.003, 200)
    assert 0.86 <= inside <= 0.97
    assert 0.84 <= ahead <= 0.97
    assert apart <= 0.14 if m == 1 else apart > 0.5


def test_equal_recipes_are_not_distinguishable() -> None:
    race = race_runs(joint(noise=0.005, seed=1), joint(noise=0.005, seed=2), spec=SPEC)
    assert race.distinguishable is False
    assert race.verdict.startswith("not distinguishable")
    assert race.findings[0].code == "not-distinguishable"


def test_the_crossing_is_where_the_planted_losses_are_equal() -> None:
    # B reducible loss larger, floor lower: L_A(C) = L_B(C) where the closed forms say.
    a, b = EPOCH, faster(EPOCH, 0.7, E=1.75)
    exponent = a[3] * a[4] / (a[3] + a[4])

    def frontier(theta, flops: float) -> float:
        n = (theta[3] * theta[1] / (theta[4] * theta[2])) ** (1 / (theta[3] + theta[4]))
        n *= (flops / 6) ** (theta[4] / (theta[3] + theta[4]))
        return chinchilla(theta, n, flops / (6 * n))

    K_a, K_b = ((frontier(t, 1e20) - t[0]) * 1e20**exponent for t in (a, b))
    expected = ((K_b - K_a) / (a[0] - b[0])) ** (1 / exponent)
    race = race_runs(joint(), joint(0.7, E=1.75), spec=POINT)
    assert race.crossing is not None
    assert race.crossing.value == pytest.approx(expected, rel=1e-4)
    noisy = race_runs(
        joint(noise=0.003, seed=1), joint(0.7, E=1.75, noise=0.003, seed=2), spec=SPEC
    )
    assert noisy.crossing.low < expected < noisy.crossing.high
    assert "ranking flips" in noisy.verdict
    assert "ranking-flips" in [finding.code for finding in noisy.findings]


def test_a_difference_of_exponents_is_tested() -> None:
    B = (*EPOCH[:4], 0.30)
    race = race_runs(
        joint(noise=0.003, seed=1), make_table(B, N, D, noise=0.003, seed=2), spec=SPEC
    )
    by_name = {exponent.name: exponent for exponent in race.exponents}
    assert by_name["beta"].p_value < 0.01
    assert by_name["beta"].difference.high < 0
    assert by_name["alpha"].p_value > 0.01
    assert by_name["a"].p_value < 0.01


def test_a_loss_that_a_never_reaches_needs_infinite_compute() -> None:
    race = race_runs(joint(), joint(E=1.2), spec=POINT)
    lap = race.laps[-1]
    assert math.isinf(lap.multiplier)
    assert str(lap) == "∞"
    assert lap.to_dict()["multiplier"]["value"] is None
    assert lap.to_dict()["unreached"]


def test_rays_of_runs_race_on_their_compute() -> None:
    sizes = np.geomspace(1e7, 1e10, 12)

    def ray(theta) -> RunTable:
        loss = chinchilla(theta, sizes, 20 * sizes)
        return table_of(n_params=sizes, n_tokens=20 * sizes, flops=120 * sizes**2, loss=loss)

    race = race_runs(ray(EPOCH), ray(faster(EPOCH, 2.0)), spec=POINT)
    assert (race.law, race.variable) == ("power-constant", "flops")
    assert race.laps[2].multiplier == pytest.approx(2.0, rel=0.05)
    assert race.findings[0].code == "raced-over-compute"
    assert "lie on one ray" in race.findings[0].evidence


def ray_table(columns: tuple[str, ...] = ("n_params", "n_tokens", "flops")) -> RunTable:
    sizes = np.geomspace(1e8, 3e9, 12)
    table = {"n_params": sizes, "n_tokens": 20 * sizes, "flops": 120 * sizes**2}
    loss = chinchilla(EPOCH, sizes, 20 * sizes)
    return table_of(**{name: table[name] for name in columns}, loss=loss)


def test_a_ray_does_not_race_a_table_off_its_frontier() -> None:
    # One law made both, so a winner here would be an artefact of the sizes tried.
    for a, b in ((ray_table(), joint()), (joint(), ray_table())):
        with pytest.raises(RefusalError, match=r"lie on one ray.*a compute does not have one size"):
            race_runs(a, b, spec=POINT)


def test_tokens_are_never_raced_over_unasked() -> None:
    without = ray_table(("n_params", "n_tokens"))
    race = race_runs(without, without, spec=POINT)
    assert race.variable == "flops"
    assert race.shared == pytest.approx((120 * 1e16, 120 * 9e18))  # 6ND with D = 20N
    tokens = ray_table(("n_tokens",))
    with pytest.raises(RefusalError, match="no flops to race over"):
        race_runs(tokens, tokens, spec=POINT)
    asked = race_runs(tokens, tokens, "power-constant", POINT)
    assert asked.variable == "n_tokens"
    assert "A needs × n_tokens" in race_text(asked)
    assert "A needs × compute" in race_text(race)
    assert "A needs × compute" not in race_text(asked)


def test_a_law_whose_optimum_is_searched_for_can_race() -> None:
    spec = FitSpec(n_resamples=40, n_starts=16)
    tables = joint(noise=0.003, seed=1), joint(1.5, noise=0.003, seed=2)
    race = race_runs(*tables, find_form("kaplan-nd-constant"), spec, flops=(1e19, 1e20))
    assert race.laps[0].multiplier == pytest.approx(1.5, rel=0.25)


def test_losses_that_cannot_be_compared_are_refused() -> None:
    def labelled(**labels: str) -> RunTable:
        return RunTable.from_records([{**row, **labels} for row in single().records()])

    for name, first, second in (
        ("eval_set", "c4", "pile"),
        ("loss_unit", "nats/token", "bits/byte"),
        ("tokenizer", "gpt2", "llama"),
    ):
        with pytest.raises(RunTableError, match=f"`{name}`"):
            race_runs(labelled(**{name: first}), labelled(**{name: second}), spec=POINT)
    tables = (labelled(tokenizer=t, loss_unit="bits/byte") for t in ("gpt2", "llama"))
    assert race_runs(*tables, spec=POINT).laps  # bits per byte know no tokenizer


def test_tables_without_a_common_variable_cannot_race() -> None:
    other = table_of(steps=np.geomspace(1e3, 1e5, 8), loss=np.geomspace(4, 3, 8))
    with pytest.raises(InputError, match="share no column"):
        race_runs(single(), other, spec=POINT)


def test_tables_without_a_common_scale_are_warned_of() -> None:
    small, large = C < 1e19, C >= 1e19
    table = single()
    race = race_runs(table.select(small), table.select(large), spec=POINT)
    assert "no-shared-scale" in [finding.code for finding in race.findings]


@pytest.mark.parametrize("name", ["over-training", "kaplan-nd-constant", "kaplan"])
def test_every_joint_law_of_size_and_tokens_can_race_by_name(name: str) -> None:
    race = race_runs(joint(), joint(2.0), name, FitSpec(n_resamples=0, n_starts=8), flops=(1e20,))
    assert race.variable == "flops"
    assert race.laps[0].multiplier == pytest.approx(2.0, rel=0.25)


def test_a_law_of_other_variables_is_refused_for_that() -> None:
    steps = joint().with_column("steps", joint().numbers("n_tokens") / 5e5)
    with pytest.raises(InputError, match="of n_params and n_tokens, not kaplan-ns"):
        race_runs(steps, steps, "kaplan-ns", POINT)


def loud(table: RunTable) -> RunTable:
    """The same runs, a fifth off any law."""
    wild = np.exp(0.2 * np.random.default_rng(5).standard_normal(len(table)))
    return table.with_column("loss", table.numbers("loss") * wild)


def test_no_verdict_from_a_law_that_does_not_fit() -> None:
    good, bad = joint(2.0, noise=0.003, seed=2), loud(joint(noise=0.003, seed=1))
    race = race_runs(bad, good, spec=SPEC)
    assert race.verdict.startswith(
        "no verdict: chinchilla misses the runs it was fitted to, A's by"
    )
    assert " and B's by" not in race.verdict
    assert "shared budgets" in race.verdict
    assert race.crossing is None
    assert "crossing  not told" in race_text(race)
    codes = [finding.code for finding in race.findings]
    assert codes[0] == "no-verdict"
    assert "ranking-flips" not in codes
    (missed,) = [f for f in race.findings if f.code == "law-does-not-fit"]
    assert missed.evidence.startswith("A: residual RMS")
    (swapped,) = [
        f for f in race_runs(good, bad, spec=SPEC).findings if f.code == "law-does-not-fit"
    ]
    assert swapped.evidence.startswith("B: ")


def test_healthy_tables_have_a_verdict_and_their_lowest_losses_beside_it() -> None:
    race = race_runs(joint(noise=0.003, seed=1), joint(2.0, noise=0.003, seed=2), spec=SPEC)
    assert race.withheld == ""
    assert "no-verdict" not in [finding.code for finding in race.findings]
    budgets = np.geomspace(1e18, 1e21, 5)
    assert [m.flops for m in race.meetings] == pytest.approx(budgets, rel=1e-6)
    for m, c in zip(race.meetings, budgets, strict=True):
        rows = np.isclose(6 * N * D, c)
        noisy = joint(noise=0.003, seed=1).numbers("loss")[rows]
        assert m.loss_a == noisy.min()
        assert m.gap > 0


def meeting(c: float, gap: float, lead: float) -> Meeting:
    """B is lower by `gap` as measured, and by `lead` in the fits."""
    return Meeting(c, 3.0 * math.exp(gap), 3.0, 3.0 * math.exp(lead), 3.0)


@pytest.mark.parametrize(
    ("gaps", "leads", "withheld"),
    [
        # The runs of Porian et al. 2024: equal as measured, the fits 1 to 6 % apart.
        ((0.0023, 0.0011, 0.0018), (-0.010, -0.038, -0.068), True),
        ((0.02, 0.02), (-0.01, -0.01), True),
        ((0.03,), (-0.02,), True),
        ((0.002, 0.001, 0.002), (-0.002, -0.003, -0.002), False),  # no more than a coarse grid
        ((-0.01, -0.02, -0.03), (-0.01, -0.02, -0.03), False),
        ((-0.01, 0.002, -0.02), (-0.01, -0.02, -0.02), False),
        ((0.01,), (-0.01,), False),  # one budget, within the noise of one run
        ((), (), False),
    ],
)
def test_measured_losses_overrule_fits_only_by_more_than_chance(gaps, leads, withheld) -> None:
    fit = fit_parametric(joint(noise=0.003), find_form("chinchilla"), POINT)
    meetings = [
        meeting(10.0 ** (18 + k), g, lead)
        for k, (g, lead) in enumerate(zip(gaps, leads, strict=True))
    ]
    why = why_withheld((fit, fit), meetings)
    assert bool(why) == withheld
    if withheld:
        assert f"the fits put A ahead at {len(gaps)} of {len(gaps)} shared budgets" in why
    turned = [Meeting(m.flops, m.loss_b, m.loss_a, m.fitted_b, m.fitted_a) for m in meetings]
    assert ("put B ahead" in why_withheld((fit, fit), turned)) == withheld


def test_no_budget_in_common_is_said_where_the_verdict_is_withheld() -> None:
    fit = fit_parametric(loud(joint()), find_form("chinchilla"), POINT)
    assert "no budget is common to both tables" in why_withheld((fit, fit), [])
