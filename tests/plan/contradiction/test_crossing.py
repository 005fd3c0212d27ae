"""Kaplan's contradiction: every row that was computed from published constants."""

from dataclasses import replace

import numpy as np
import pytest

from isoflop.base import strict_json
from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.base.units import from_pf_days, to_pf_days
from isoflop.laws.catalog import PublishedLaw, find_published
from isoflop.laws.power import PowerConstantLaw
from isoflop.laws.published.entry import decay_theta
from isoflop.plan.contradiction.crossing import find_crossing
from isoflop.plan.contradiction.spread import CrossingSpread


def rounded(number: float, like: str) -> str:
    """Write `number` with as many digits as `like`."""
    mantissa, _, _ = like.partition("e")
    digits = len(mantissa.replace(".", ""))
    return f"{float(f'{number:.{digits - 1}e}'):g}"


def with_exponent(name: str, scale: float, exponent: float) -> PublishedLaw:
    theta = decay_theta(from_pf_days(scale), exponent)
    return replace(find_published(name), name="changed", theta=theta)


CMIN, DATA = "kaplan-2020-l-cmin", "kaplan-2020-l-d"
SUPPLY, AT_B_CRIT = "kaplan-2020-d-opt", "kaplan-2020-d-opt-at-b-crit"
STEEPER = with_exponent(CMIN, 3.1e8, 0.054)


@pytest.mark.parametrize(
    ("compute", "data", "tokens", "expected"),
    [
        (CMIN, DATA, SUPPLY, ("1.12e4", "1.17e12", "2.5e11", "1.67")),
        (f"{CMIN}-figure-1", DATA, SUPPLY, ("6.1e3", "7.5e11", "2.1e11", "1.69")),
        (CMIN, DATA, AT_B_CRIT, ("1.06e5", "6.1e12", "8.1e11", "1.49")),
        ("brown-2020-l-c", DATA, SUPPLY, ("5.7e3", "7.2e11", "2.1e11", "1.70")),
        ("brown-2020-l-c", DATA, AT_B_CRIT, ("6.8e4", "4.4e12", "7.2e11", "1.51")),
        (CMIN, f"{DATA}-table-2", SUPPLY, ("2.6e5", "1.2e13", "5.8e11", "1.42")),
        (STEEPER, DATA, SUPPLY, ("4.7e4", "3.4e12", "3.7e11", "1.61")),
        ("kaplan-2020-l-c", DATA, SUPPLY, ("5.0e2", "1.2e11", "1.1e11", "1.81")),
    ],
)
def test_crossing_in_all_printed_digits(
    compute: str | PublishedLaw, data: str, tokens: str, expected: tuple[str, str, str, str]
) -> None:
    found = find_crossing(compute, data, tokens_rule=tokens)
    values = (found.pf_days, found.n_params, found.n_tokens, found.loss)
    actual = tuple(
        rounded(estimate.value, like) for estimate, like in zip(values, expected, strict=True)
    )
    assert tuple(f"{float(text):g}" for text in expected) == actual


def test_both_trends_meet_at_the_crossing() -> None:
    found = find_crossing()
    data = found.constants["data_law"]
    tokens = {"n_tokens": np.array([found.n_tokens.value])}
    assert found.loss.value == pytest.approx(data.law.predict(data.theta, tokens)[0], rel=1e-12)
    assert found.pf_days.value == to_pf_days(found.flops.value)


@pytest.mark.parametrize(
    ("exponent", "change", "expected"),
    [
        ("compute law", -0.01, "9.0e3"),
        ("compute law", 0.01, "1.37e4"),
        ("compute law", -0.05, "3.5e3"),
        ("compute law", 0.05, "2.9e4"),
        ("tokens rule", -0.05, "7e3"),
        ("tokens rule", 0.05, "1.9e4"),
    ],
)
def test_sensitivity_in_all_printed_digits(exponent: str, change: float, expected: str) -> None:
    shifted = {(row.exponent, row.change): row.flops for row in find_crossing().sensitivity}
    flops = shifted[exponent, change]
    assert flops is not None
    assert f"{float(expected):g}" == rounded(to_pf_days(flops), expected)


def test_without_rounding_no_interval_is_invented_for_published_constants() -> None:
    found = find_crossing(spread=CrossingSpread(rounding="ignored"))
    for estimate in (found.flops, found.pf_days, found.n_params, found.n_tokens, found.loss):
        assert (estimate.low, estimate.high) == (None, None)


def test_the_document_carries_the_constants_used() -> None:
    document = strict_json.loads(strict_json.dumps(find_crossing().to_dict()))
    assert {"flops", "pf_days", "n_params", "n_tokens", "loss"} <= set(document)
    assert document["constants"]["compute_law"]["printed"] == {
        "C_c_min": 3.1e8,
        "alpha_C_min": 0.05,
    }
    assert document["constants"]["compute_law"]["source"].endswith("Table 5")
    assert document["constants"]["tokens_rule"]["printed"] == {"D_e": 2e10, "p_D": 0.27}
    assert document["constants"]["params_rule"]["name"] == "kaplan-2020-n-opt"


def test_a_law_with_a_constant_is_solved_numerically_and_agrees_in_the_limit() -> None:
    pure = find_published(CMIN)
    offset = replace(
        pure,
        name="offset",
        law=PowerConstantLaw("flops"),
        theta=np.array([1e-12, *pure.theta]),
    )
    expected = find_crossing().flops.value
    assert expected == pytest.approx(find_crossing(offset).flops.value, rel=1e-9)


def test_a_compute_trend_with_a_high_floor_never_crosses() -> None:
    pure = find_published(CMIN)
    floor = replace(
        pure, name="floor", law=PowerConstantLaw("flops"), theta=np.array([3.0, *pure.theta])
    )
    with pytest.raises(RefusalError, match="floor does not fall below kaplan-2020-l-d between"):
        find_crossing(floor)


def test_a_data_trend_as_steep_as_the_compute_trend_is_refused() -> None:
    flat = with_exponent(CMIN, 3.1e8, 0.02)
    with pytest.raises(RefusalError, match="never falls below the data trend"):
        find_crossing(flat)


def test_a_law_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(InputError) as caught:
        find_crossing("kaplan-2020-l-n")
    message = "compute_law must predict loss from flops; kaplan-2020-l-n predicts loss from"
    assert str(caught.value).startswith(message)


def test_an_unknown_law_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        find_crossing(data_law="kaplan-2020-ld")
