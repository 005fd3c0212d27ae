"""The century slides to the digits of the papers, and a chain whose parts can be replaced."""

import math

import pytest

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.plan.forecast.audit import audit_slides
from isoflop.plan.forecast.century import Anchor, CenturySpec, forecast_century

SLIDES = CenturySpec(growth=1e12, exponent_error=0.0)

RECOMPUTED = {
    ("compute", "FLOPs"): ("1e+36", "agrees"),
    ("compute", "PF-days"): ("1.157e+16", "agrees"),
    ("GPT-3's data", "bytes"): ("1.2e+12", "agrees"),
    ("data", "bytes"): ("2.085e+15", "agrees"),
    ("parameters", "parameters"): ("1.007e+20", "rounded"),
    ("parameters over GPT-3's", "times"): ("5.754e+08", "wrong"),
    ("data over GPT-3's", "times"): ("1738", "rounded"),
    ("compute over GPT-3's", "times"): ("3.2e+12", "wrong"),
    ("GPT-3's compute", "FLOPs"): ("3.14e+23", "wrong"),
    ("Kaplan's crossing C*", "FLOPs"): ("8.64e+23", "agrees"),
    ("data at the crossing", "bytes"): ("4e+12", "agrees"),
    ("loss, words as tokens", "nats/token"): ("0.84120903155", "agrees"),
    ("loss, tokens", "nats/token"): ("0.8094", "wrong"),
    ("loss, bytes unrounded", "nats/token"): ("0.8062", "wrong"),
    ("loss by compute", "nats/token"): ("0.418", "wrong"),
    ("printed loss in bits", "bits/token"): ("1.21", "wrong"),
    ("printed loss a character", "bits/char"): ("0.36", "wrong"),
}
"""What the slides' inputs give, recomputed by hand from Kaplan's constants."""


def test_every_number_of_the_slides_is_recomputed_to_its_digits() -> None:
    found = {
        (row.what, row.unit): (f"{row.recomputed:.{row.digits}g}", row.verdict)
        for row in audit_slides()
        if row.verdict != "implied"
    }
    assert found == RECOMPUTED


def test_the_slides_printed_what_the_audit_says_they_printed() -> None:
    printed = {(row.what, row.unit): row.printed for row in audit_slides()}
    assert printed["loss, tokens", "nats/token"] == "0.84120903154"
    assert printed["parameters over GPT-3's", "times"] == "<6e9"
    assert printed["GPT-3's compute", "FLOPs"] == "3.64e23 FLOPs"
    assert all(row.why for row in audit_slides())


def test_an_audit_follows_its_inputs() -> None:
    doubled = audit_slides(CenturySpec(usd=2e12, growth=2e12, exponent_error=0.0))
    found = {(row.what, row.unit): row.recomputed for row in doubled}
    assert found["compute", "FLOPs"] == pytest.approx(2e36)
    assert found["parameters", "parameters"] == pytest.approx(1.007e20 * 2**0.73, rel=1e-3)


def test_growth_follows_from_the_money_where_none_is_given() -> None:
    found = forecast_century()
    assert found.growth.value == pytest.approx(1e36 / 3.14e23)
    assert 6 * found.n_params.value * found.n_tokens.value == pytest.approx(1e36, rel=0.01)
    codes = [finding.code for finding in found.findings]
    assert codes == ["far-beyond-the-runs", "beyond-the-crossing"]
    slides = [finding.code for finding in forecast_century(SLIDES).findings]
    assert "plan-does-not-spend-the-budget" in slides  # 6·1.007e20·5.2e14 = 3.1e35


def test_intervals_are_what_a_shift_of_every_exponent_gives() -> None:
    found = forecast_century(CenturySpec(growth=1e12))
    assert found.n_params.low == pytest.approx(1.75e11 * 1e12 ** (0.73 * 0.95))
    assert found.n_params.high == pytest.approx(1.75e11 * 1e12 ** (0.73 * 1.05))
    D = 3e11 * 1e12**0.27
    by_alpha = 0.05 * 0.095 * math.log(5.4e13 / D)
    by_tokens = 0.095 * 0.05 * 0.27 * math.log(1e12)
    half = math.hypot(by_alpha, by_tokens)
    assert found.data_loss.high == pytest.approx(found.data_loss.value * math.exp(half))
    assert found.data_loss.low == pytest.approx(found.data_loss.value * math.exp(-half))
    exact = forecast_century(SLIDES)
    assert exact.n_params.low is None
    assert exact.to_dict()["n_params"]["low"] is None


def test_gpt3_itself_is_where_the_chain_begins() -> None:
    found = forecast_century(CenturySpec(usd=3.14e23, flops_per_usd=1.0))
    assert found.growth.value == 1
    assert (found.n_params.value, found.n_tokens.value) == (1.75e11, 3e11)
    assert found.pf_days.value == pytest.approx(3.63e3, rel=2e-3)
    assert found.compute_loss.value == pytest.approx(1.76, abs=0.005)  # Kaplan's L(C_min)
    assert found.findings == ()


def test_losses_in_bits_and_per_character() -> None:
    found = forecast_century(SLIDES)
    loss = found.data_loss.value
    assert found.loss_in("bits/token")["data_loss"].value == pytest.approx(loss / math.log(2))
    per_char = found.loss_in("bits/char")["data_loss"].value
    assert per_char == pytest.approx(loss / math.log(2) * 3 / 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"usd": -1.0}, "usd must be positive and finite, found -1"),
        ({"growth": 0.0}, "growth must be positive"),
        ({"tokens_exponent": math.inf}, "tokens_exponent must be positive"),
        ({"exponent_error": 1.5}, "exponent_error is a share below 1, found 1.5"),
        ({"usd": 1e200, "flops_per_usd": 1e200}, "beyond floats"),
        ({"usd": 1e-200, "flops_per_usd": 1e-200}, "beyond floats"),
        ({"anchor": Anchor(n_params=0.0)}, "anchor n_params must be positive"),
    ],
)
def test_bad_inputs_are_named(change, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CenturySpec(**change)


@pytest.mark.parametrize(
    "change", [{"growth": 1e300, "params_exponent": 5.0}, {"tokens_exponent": 1e12, "growth": 2.0}]
)
def test_exponents_that_lead_beyond_floats_are_refused(change) -> None:
    with pytest.raises(InputError, match="leads beyond floats; look at both"):
        forecast_century(CenturySpec(**change))


def test_laws_of_something_else_are_refused() -> None:
    with pytest.raises(InputError, match=r"kaplan-2020-l-n is .*; a century needs loss"):
        forecast_century(CenturySpec(data_law="kaplan-2020-l-n"))
    with pytest.raises(UnknownNameError, match="did you mean kaplan-2020-l-d"):
        forecast_century(CenturySpec(data_law="kaplan-2020-ld"))
    with pytest.raises(UnknownNameError, match="set of ratios"):
        forecast_century(CenturySpec(ratios="slide"))
