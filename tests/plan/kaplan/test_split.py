"""The billion-fold split of Kaplan's figure 3, measured and derived."""

import numpy as np
import pytest
from plan.fitted import fit_planted

from isoflop.base.errors import InputError
from isoflop.laws.critical_batch import CriticalBatchLaw
from isoflop.laws.published.kaplan_2020_theory import FRONTIER
from isoflop.plan.kaplan.split import split_growth

PARTS = ("n_params", "batch_tokens", "steps")


def test_figure_3_as_the_paper_reads_it() -> None:
    found = split_growth(1e9)
    assert found.n_params.value > 1e6  # "> 1,000,000x model size"
    assert f"{found.batch_tokens.value:.0e}" == "1e+02"  # "100x batch size"
    assert found.steps.value < 10  # "< 10x serial steps"
    exponents = [f"{found.exponents[name].value:.2f}" for name in (*PARTS, "n_tokens")]
    assert exponents == ["0.73", "0.24", "0.03", "0.27"]


@pytest.mark.parametrize("laws", [{}, {"steps_law": "kaplan-2020-ns"}])
@pytest.mark.parametrize("factor", [10.0, 1e9, 0.01])
def test_the_parts_multiply_to_the_whole(laws: dict[str, str], factor: float) -> None:
    found = split_growth(factor, **laws)
    parts = [getattr(found, name).value for name in PARTS]
    assert np.prod(parts) == pytest.approx(factor, rel=1e-9)
    tokens = parts[1] * parts[2]
    assert found.n_tokens.value == pytest.approx(tokens, rel=1e-9)


def test_the_theory_of_appendix_b() -> None:
    found = split_growth(1e9, steps_law="kaplan-2020-ns")
    exponents = [f"{found.exponents[name].value:.2f}" for name in (*PARTS, "n_tokens")]
    assert exponents == ["0.68", "0.25", "0.07", "0.32"]
    assert found.exponents["n_params"].value == pytest.approx(FRONTIER.params_exponent, rel=1e-12)


def test_a_fit_of_the_critical_batch_brings_an_interval() -> None:
    grid = {"loss": np.linspace(2.2, 5.0, 12)}
    fit = fit_planted(CriticalBatchLaw(), [2.1e8, 0.21], grid, noise=0.05)
    batch = split_growth(1e9, critical_law=fit).exponents["batch_tokens"]
    assert batch.low < batch.value < batch.high
    assert batch.low < 0.25 < batch.high


def test_factors_must_be_positive() -> None:
    with pytest.raises(InputError, match="compute must be positive and finite, found -1"):
        split_growth(-1)
