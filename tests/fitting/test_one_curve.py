"""Laws of compute alone on IsoFLOP tables, and curves that are none."""

import numpy as np
import pytest
from planted import SURFACES, chinchilla, isoflop_design, make_table, optimum, table_of

import isoflop
from isoflop.base.errors import InputError
from isoflop.fitting.one_curve import choose_curve
from isoflop.fitting.parametric import FitSpec
from isoflop.runs.table import RunTable

THETA = SURFACES["epoch"]
QUICK = FitSpec(n_resamples=0, n_starts=8)


def valleys(*, noise: float = 0.005) -> RunTable:
    return make_table(THETA, *isoflop_design(THETA, points=9), noise=noise)


def frontier(copies: int = 1) -> RunTable:
    C = np.repeat(np.geomspace(1e18, 1e21, 10), copies)
    N = optimum(THETA, C)
    noise = 1 + 0.005 * np.random.default_rng(0).standard_normal(len(C))
    loss = chinchilla(THETA, N, C / (6 * N)) * noise
    return table_of(n_params=N, n_tokens=C / (6 * N), flops=C, loss=loss)


def codes(table: RunTable, law: str = "power-constant") -> set[str]:
    found = isoflop.fit(table, law, over="flops", spec=QUICK)
    return {finding.code for finding in found.findings}


@pytest.mark.parametrize("law", ["power", "power-constant", "auto"])
def test_a_law_of_compute_through_whole_valleys_is_warned_of(law: str) -> None:
    assert "compute-alone" in codes(valleys(), law)


def test_the_evidence_is_the_range_of_losses_at_one_compute() -> None:
    N, D = (np.tile(side, 6) for side in ([1e8, 2e8, 4e8], [4.0, 2.0, 1.0]))
    C = np.repeat(np.geomspace(1e18, 1e21, 6), 3)
    loss = 60 * C**-0.07 * np.tile([1.06, 1.0, 1.0], 6)  # the smallest model: 6 % more
    table = table_of(n_params=N, n_tokens=D * C, flops=C, loss=loss)
    found = isoflop.fit(table, "power", over="flops", spec=QUICK)
    evidence = next(f.evidence for f in found.findings if f.code == "compute-alone")
    assert "18 of 18 runs" in evidence
    assert "varies there by 6 % (6 % to 6 %)" in evidence


@pytest.mark.parametrize("copies", [1, 4])
def test_optima_alone_and_their_seeds_are_not(copies: int) -> None:
    assert "compute-alone" not in codes(frontier(copies))


def test_one_models_learning_curve_is_not() -> None:
    D = np.geomspace(1e8, 1e10, 60)
    table = table_of(n_params=np.full(60, 1e8), n_tokens=D, flops=6e8 * D, loss=20 * D**-0.09)
    assert "compute-alone" not in codes(table, "power")


def test_a_law_of_sizes_and_tokens_is_not() -> None:
    fit = isoflop.fit(valleys(), "chinchilla", spec=QUICK)
    assert "compute-alone" not in {finding.code for finding in fit.findings}


def test_auto_on_several_variables_names_them_and_the_way_out() -> None:
    with pytest.raises(InputError) as refused:
        isoflop.fit(valleys(), "auto")
    message = str(refused.value)
    for word in ("n_params (", "n_tokens (", "flops (", "--over", "--law chinchilla"):
        assert word in message
    assert "\n" not in message


def test_auto_takes_the_only_variable_that_varies() -> None:
    D = np.geomspace(1e8, 1e10, 30)
    table = table_of(n_params=np.full(30, 1e8), n_tokens=D, loss=20 * D**-0.09)
    assert choose_curve(table, None) == "n_tokens"
    assert isoflop.fit(table, "auto").method == "auto"
    assert choose_curve(table, "n_params") == "n_params"  # as named


def test_auto_without_any_variable_asks_for_one() -> None:
    with pytest.raises(InputError, match="say which column, such as --over"):
        choose_curve(table_of(loss=np.array([3.0, 2.0])), None)
