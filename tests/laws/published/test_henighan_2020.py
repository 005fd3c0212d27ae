"""Henighan et al. 2020: Table 1 against what follows from it."""

import pytest

from isoflop.base.units import PF_DAY
from isoflop.laws.catalog import (
    find_published,
    predict_published,
    published_names,
)


def value(name: str, **inputs: float) -> float:
    return predict_published(find_published(name), inputs).value


def three(number: float, digits: int = 3) -> float:
    return float(f"{number:.{digits - 1}e}")


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        ("language", 1.29e9),
        ("image-8x8", 3.1e8),
        ("image-16x16", 3.1e8),
        ("image-32x32", 2.1e8),
        ("vq-16x16", 2.8e8),
        ("vq-32x32", 2.6e8),
        ("text-to-image-image", 2.6e8),
        ("image-to-text-image", 1.8e8),
        ("video-vq", 3.0e8),
        ("math", 1.1e8),
    ],
)
def test_henighan_optimal_size_at_one_pf_day(domain: str, expected: float) -> None:
    digits = 3 if domain == "language" else 2
    assert expected == three(value(f"henighan-2020-{domain}-n-opt", flops=PF_DAY), digits)


@pytest.mark.parametrize(
    ("domain", "tokens_per_image", "converted"),
    [
        ("image-8x8", 192, 1.87e4),  # Table 3 prints 1.9e3: a probable misprint
        ("image-16x16", 768, 1.73e10),
        ("image-32x32", 3072, 2.69e26),
        ("vq-16x16", 256, 4.8e15),
        ("vq-32x32", 1024, 3.2e19),
    ],
)
def test_henighan_compute_scales_an_image(
    domain: str, tokens_per_image: int, converted: float
) -> None:
    entry = find_published(f"henighan-2020-{domain}-l-c")
    scale = entry.printed["C_0"] * tokens_per_image ** (1 / entry.printed["alpha"])
    assert converted == three(scale, 2 if domain.startswith("vq") else 3)


def test_henighan_8x8_says_that_table_3_is_a_probable_misprint() -> None:
    assert "misprint" in find_published("henighan-2020-image-8x8-l-c").note


def test_henighan_reducible_loss_of_a_small_image() -> None:
    entry = find_published("henighan-2020-image-8x8-l-n")
    reducible = predict_published(entry, {"n_params": 1e9}).value - entry.printed["L_inf"]
    assert round(192 * reducible, 1) == 3.8  # nats an image


def test_henighan_has_every_printed_cell_of_table_1() -> None:
    names = [name for name in published_names() if name.startswith("henighan-2020-")]
    counted = {kind: sum(name.endswith(kind) for name in names) for kind in ("-l-n", "-l-c")}
    assert counted == {"-l-n": 12, "-l-c": 10}
    assert sum(name.endswith("-n-opt") for name in names) == 10
