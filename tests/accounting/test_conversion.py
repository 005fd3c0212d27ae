"""Units against the numbers that papers and slides print."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isoflop.accounting.conversion import convert_units
from isoflop.accounting.ratios import RATIO_SETS, Ratio, find_ratios, parse_ratio
from isoflop.base.errors import InputError, RefusalError, UnknownNameError

SLIDES = RATIO_SETS["slides"].ratios
WEBTEXT2 = RATIO_SETS["webtext2"].ratios


@pytest.mark.parametrize(
    ("amount", "unit", "to", "expected"),
    [
        (3.14e23, "FLOP", "PF-days", "3.63e+03"),
        (3.64e3, "PF-days", "FLOPs", "3.14e+23"),
        (1e36, "FLOPs", "PF-days", "1.16e+16"),
        (8.64e23, "flop", "pf-day", "1.00e+04"),
        (1, "PFLOP", "TFLOP", "1.00e+03"),
    ],
)
def test_compute(amount: float, unit: str, to: str, expected: str) -> None:
    assert f"{convert_units(amount, unit, to):.2e}" == expected


def test_1_7_nats_a_token_are_570_millibits_a_character_of_webtext2() -> None:
    bits = convert_units(1.7, "nats/token", "bits/char", ratios=WEBTEXT2)
    assert f"{bits:.3f}" == "0.570"


@pytest.mark.parametrize(
    ("amount", "unit", "to", "expected"),
    [
        (3, "tokens", "words", 2),  # the model itself
        (3, "tokens", "chars", 10),
        (3, "tokens", "bytes", 12),
        (2, "words", "tokens", 3),
        (300e9, "tokens", "TB", 1.2),  # GPT-3's tokens, slide 58
        (4e12, "bytes", "tokens", 1e12),  # D* of the contradiction
        (2e15, "bytes", "words", 3.3333333e14),  # typed into a law of tokens
        (2e15, "bytes", "tokens", 5e14),  # what that law wants
    ],
)
def test_the_slides_model_of_text(amount: float, unit: str, to: str, expected: float) -> None:
    found = convert_units(amount, unit, to, ratios=SLIDES)
    assert found == pytest.approx(expected, rel=1e-7)


def test_the_slides_loss_is_below_shannons_range_once_in_bits_a_character() -> None:
    # 0.841 nats/token = 1.21 bits/token = 0.36 bits/char at 10 characters per 3 tokens.
    assert f"{convert_units(0.841, 'nats/token', 'bits/token'):.2f}" == "1.21"
    assert f"{convert_units(0.841, 'nats/token', 'bits/char', ratios=SLIDES):.2f}" == "0.36"


@pytest.mark.parametrize(
    ("images", "C0", "alpha", "printed"),
    [
        # Henighan 2020: scale and exponent of L(C), Table 1, and the scale of Table 3.
        ("image-8x8", 1.8e-8, 0.19, 1.87e4),
        ("image-16x16", 1.6e-8, 0.16, 1.73e10),
        ("image-32x32", 3.6e-9, 0.10, 2.69e26),
        ("vq-16x16", 6.1e-7, 0.11, 4.8e15),
        ("vq-32x32", 2.6e-6, 0.12, 3.2e19),
    ],
)
def test_scales_per_token_become_scales_per_image(images, C0, alpha, printed) -> None:
    factor = convert_units(1, "nats/token", "nats/image", ratios=find_ratios(images).ratios)
    assert C0 * factor ** (1 / alpha) == pytest.approx(printed, rel=0.02)


def test_irreducible_losses_per_image_are_those_of_table_3() -> None:
    for images, per_token, per_image in (
        ("image-8x8", 3.13, 602),
        ("image-16x16", 2.64, 2026),
        ("image-32x32", 2.21, 6806),
        ("vq-16x16", 4.09, 1047),
        ("vq-32x32", 3.17, 3246),
    ):
        ratios = find_ratios(images).ratios
        found = convert_units(per_token, "nats/token", "nats/image", ratios=ratios)
        assert found == pytest.approx(per_image, rel=0.003)


def test_losses_per_larger_thing_are_larger_and_amounts_of_it_smaller() -> None:
    ratio = [Ratio(4.0, "byte", "token")]
    assert convert_units(2.0, "nats/token", "nats/byte", ratios=ratio) == 0.5
    assert convert_units(2.0, "tokens", "bytes", ratios=ratio) == 8.0
    assert convert_units(8e9, "nats/GB", "nats/token", ratios=ratio) == 32.0


@given(st.floats(1e-6, 1e6), st.floats(0.1, 100), st.floats(0.1, 100))
def test_there_and_back(value: float, chars: float, tokens: float) -> None:
    ratios = [Ratio(chars, "char", "token"), Ratio(tokens, "token", "word")]
    there = convert_units(value, "nats/word", "bits/char", ratios=ratios)
    assert there == pytest.approx(value / (chars * tokens) / math.log(2), rel=1e-12)
    back = convert_units(there, "bits/char", "nats/word", ratios=ratios)
    assert back == pytest.approx(value, rel=1e-12)


def test_shorthands() -> None:
    assert convert_units(1, "bpc", "bits/char") == 1
    assert parse_ratio("1.5e3 tokens/image") == Ratio(1500.0, "token", "image")
    assert parse_ratio("4 characters / token") == Ratio(4.0, "char", "token")


REFUSED = {
    "two dimensions": ((1, "FLOP", "nats/token"), InputError, "FLOP is compute and nats/token"),
    "data to compute": ((1, "tokens", "FLOP"), InputError, r"needs a model: isoflop count"),
    "data to loss": ((1, "tokens", "bits/token"), InputError, "is an amount of data and"),
    "no ratio": ((1, "nats/token", "bits/byte"), RefusalError, "bytes per token are not known"),
    "per what": ((1, "nats", "bits"), InputError, "nats of what"),
    "unknown": ((1, "nats/token", "bits/chair"), InputError, "did you mean char"),
    "not a loss": ((1, "dollars/token", "bits/token"), InputError, "a loss is in nats or bits"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_converted_is_refused(case: str) -> None:
    (value, unit, to), error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        convert_units(value, unit, to)


def test_ratios_that_disagree_are_refused_and_those_that_agree_are_not() -> None:
    more = [*SLIDES, Ratio(4.3, "char", "token")]
    with pytest.raises(RefusalError, match=r"disagree: 3.333 and 4.3 chars per token"):
        convert_units(1.7, "nats/token", "bits/char", ratios=more)
    same = [*SLIDES, Ratio(10 / 3, "char", "token")]
    assert convert_units(3, "tokens", "chars", ratios=same) == pytest.approx(10)


@pytest.mark.parametrize(
    "text",
    ["", "char/token", "-4 char/token", "0 char/token", "4 char", "4 char/char", "4 x/token"],
)
def test_what_is_no_ratio_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"ratio|unknown unit"):
        parse_ratio(text)


def test_an_unknown_set_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean slides"):
        find_ratios("slide")
