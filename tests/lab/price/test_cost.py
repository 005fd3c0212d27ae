import pytest

pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.lab.price.cost import rung_seconds
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung

PROBE_RATE = 2.5e11
SHARED = {"n_vocab": 256, "n_ctx": 64, "tied": False}


def shape(family: str, d: int) -> Model:
    if family == "lstm":
        return Lstm(2, d, d, **SHARED)
    if family == "gpt":
        return Architecture(2, d, n_head=max(1, d // 32), positions="rotary", **SHARED)
    return Convolutional(2, d, kernel=3, kind="full" if family == "conv" else "separable", **SHARED)


# Milliseconds a step, measured on one busy core of an AMD Zen 5 in bfloat16 (docs/LOG.md):
# family, width, tokens a step of each model, models.
MEASURED = [
    ("lstm", 16, 256, 1, 2.39), ("lstm", 16, 1024, 4, 10.80), ("lstm", 64, 1024, 4, 32.54),
    ("lstm", 128, 256, 4, 37.18), ("lstm", 128, 1024, 4, 73.91),
    ("conv", 16, 256, 1, 1.66), ("conv", 16, 1024, 4, 7.02), ("conv", 64, 1024, 1, 6.46),
    ("conv", 128, 256, 4, 15.10), ("conv", 128, 1024, 4, 51.53),
    ("separable", 16, 1024, 4, 7.84), ("separable", 64, 1024, 4, 14.64),
    ("separable", 128, 1024, 4, 32.08),
    ("gpt", 16, 256, 4, 5.98), ("gpt", 64, 1024, 4, 39.44), ("gpt", 128, 1024, 1, 28.98),
]  # fmt: skip


@pytest.mark.parametrize(("family", "d", "batch", "models", "milliseconds"), MEASURED)
def test_predicted_steps_are_within_a_factor_of_what_was_measured(
    family, d, batch, models, milliseconds
) -> None:
    steps = 10_000
    rung = Rung("r", shape(family, d), models, (batch * steps,))
    recipe = Recipe(batch_tokens=batch, schedule="constant")
    ladder = Ladder("l", "sotu", "bytes", (rung,), recipe, Evaluation(tokens=64, curve_tokens=64))
    predicted = 1e3 * rung_seconds(rung, ladder, PROBE_RATE) / steps
    assert milliseconds / 1.65 < predicted < milliseconds * 1.35
