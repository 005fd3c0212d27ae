"""The three methods on one table, their differences priced in compute."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, optimum, table_of

from isoflop.base.errors import UnderdeterminedError
from isoflop.base.estimate import Estimate
from isoflop.fitting.parametric import FitSpec
from isoflop.plan.analysis.analysis import analyse_runs
from isoflop.plan.analysis.answer import all_findings
from isoflop.plan.analysis.disagreement import MethodAnswer, MethodComparison, compare_methods

SPEC = FitSpec(n_resamples=100, n_starts=16)


def table(surface: str, *, noise: float = 0.003, **design: float):
    theta = SURFACES[surface]
    budgets = np.geomspace(1e18, 1e21, 7)
    N, D = isoflop_design(theta, points=9, budgets=budgets, **design)
    return make_table(theta, N, D, noise=noise)


def test_on_a_good_grid_the_methods_agree_and_the_waste_is_small() -> None:
    comparison = compare_methods(table("epoch", half_width=4.0), spec=SPEC)
    assert [answer.method for answer in comparison.answers] == ["parametric", "isoflop"]
    assert [f.code for f in comparison.findings] == ["methods-agree"]
    # Trust sheet B3, epoch good grid at 100x and .5 % noise: waste .22 % on average, p95 .81 %.
    assert 0 <= comparison.answers[1].waste < 0.02
    assert comparison.flops == pytest.approx(1e23, rel=1e-6)


def test_biased_parabolas_disagree_and_the_waste_is_what_the_truth_says() -> None:
    theta = SURFACES["asym"]
    comparison = compare_methods(table("asym", half_width=16.0, noise=1e-4), spec=SPEC)
    (finding,) = comparison.findings
    assert (finding.code, finding.severity) == ("methods-disagree", "warning")
    parametric, isoflop = comparison.answers
    assert not isoflop.agrees
    assert parametric.n_params.value == pytest.approx(optimum(theta, 1e23), rel=0.01)
    # Trust sheet B3: this grid puts N* at 1.33x, which wastes 2.4 % on average.
    assert isoflop.n_params.value == pytest.approx(1.33 * optimum(theta, 1e23), rel=0.02)
    assert isoflop.waste == pytest.approx(0.024, abs=0.003)
    assert f"{100 * isoflop.waste:.2g} %" in finding.evidence
    assert "parabola-bias" in [f.code for f in isoflop.findings]


def test_a_method_that_refuses_is_listed_with_its_reason() -> None:
    comparison = compare_methods(table("epoch"), spec=SPEC)
    (name, reason), *_ = comparison.refused
    assert name == "envelope"
    assert reason


def test_dense_sizes_give_three_answers() -> None:
    theta = SURFACES["epoch"]
    low, high = optimum(theta, np.array([1e18, 1e21]))
    sizes = np.geomspace(low / 4, high * 4, 18)
    N, C = (x.ravel() for x in np.meshgrid(sizes, np.geomspace(1e18, 1e21, 10)))
    near = np.abs(np.log(N / optimum(theta, C))) < np.log(12)
    N, C = N[near], C[near]
    rng = np.random.default_rng(0)
    loss = chinchilla(theta, N, C / (6 * N)) * np.exp(0.002 * rng.standard_normal(len(N)))
    runs = table_of(n_params=N, n_tokens=C / (6 * N), flops=C, loss=loss)
    comparison = compare_methods(runs, spec=SPEC, flops=1e22)
    assert [a.method for a in comparison.answers] == ["parametric", "isoflop", "envelope"]
    assert comparison.flops == 1e22
    assert "winners-curse" in [f.code for f in comparison.answers[2].findings]
    document = comparison.to_dict()
    assert [m["method"] for m in document["methods"]] == ["parametric", "isoflop", "envelope"]


def test_a_ray_of_runs_has_no_answer_to_compare() -> None:
    N = np.geomspace(1e7, 1e10, 20)
    loss = chinchilla(SURFACES["epoch"], N, 20 * N)
    runs = table_of(n_params=N, n_tokens=20 * N, flops=120 * N * N, loss=loss)
    with pytest.raises(UnderdeterminedError):
        compare_methods(runs, spec=SPEC)


def test_an_analysis_says_where_parabolas_and_surface_disagree() -> None:
    biased = analyse_runs(table("asym", half_width=16.0, noise=1e-3), SPEC)
    assert "methods-disagree" in [finding.code for finding in all_findings(biased)]
    good = analyse_runs(table("epoch", half_width=4.0), SPEC)
    assert "methods-disagree" not in [finding.code for finding in all_findings(good)]


def answer(method: str, size: tuple[float, float, float], waste: float) -> MethodAnswer:
    n_params = Estimate(*size)
    return MethodAnswer(method, Estimate(0.5), n_params, Estimate(20.0), waste, True, ())


@pytest.mark.parametrize(
    ("waste", "code", "severity"),
    [
        (0.17, "methods-not-distinguishable", "warning"),
        (0.031, "methods-not-distinguishable", "warning"),
        (0.029, "methods-agree", "note"),
        (0.002, "methods-agree", "note"),
    ],
)
def test_overlapping_intervals_agree_only_where_little_hangs_on_them(waste, code, severity) -> None:
    answers = (
        answer("parametric", (3.1e9, 1.5e9, 5.8e9), 0.0),
        answer("isoflop", (5.2e9, 3.9e9, 6.9e9), waste),
    )
    (finding,) = MethodComparison("r.csv", "chinchilla", 2.6e21, answers, ()).findings
    assert (finding.code, finding.severity) == (code, severity)
    assert f"wastes {100 * waste:.2g} % of the compute" in finding.evidence
    assert finding.evidence.startswith("not distinguishable: ") == (severity == "warning")
