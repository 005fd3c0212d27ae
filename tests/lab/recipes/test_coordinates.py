"""muP's coordinate check: what ten steps change in the activations does not depend on the width."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.lab.data.stream import TokenStream  # noqa: E402
from isoflop.lab.loop import Trainer  # noqa: E402
from isoflop.runs.ladders.ladder import Recipe, Rung  # noqa: E402
from isoflop.runs.settle import settle_recipe  # noqa: E402

WIDTHS = (16, 32, 64, 128)
RAW = "".join(f"the square of {i} is {i * i}\n" for i in range(4000)).encode()
TEXT = np.frombuffer(RAW, dtype=np.uint8).astype(np.uint16) % 64
PROBE = torch.from_numpy(TEXT[: 16 * 16].reshape(1, 16, 16).astype(np.int64))


def change(width: int, recipe: Recipe) -> tuple[float, float]:
    """Return the root mean square change of last hidden states and logits after ten steps."""
    shape = Architecture(
        n_layer=2, d_model=width, n_head=width // 8, n_ctx=16, n_vocab=64, tied=False,
        positions="rotary",
    )  # fmt: skip
    rung = Rung("a", shape, 2, (256_000,))
    streams = [TokenStream(TEXT, 16, (0, seed)) for seed in range(2)]
    trainer = Trainer(
        rung, recipe, streams, seeds=[(0, 0), (0, 1)], device=torch.device("cpu"),
        dtype=torch.float32,
    )  # fmt: skip
    before = look(trainer, width)
    rate = settle_recipe(recipe, rung).lr
    trainer.advance(0, 10, lambda step: rate)
    after = look(trainer, width)
    return tuple(float((b - a).square().mean().sqrt()) for a, b in zip(before, after, strict=True))


@torch.no_grad()
def look(trainer: Trainer, width: int):
    """An identity for a head shows the last hidden states."""
    trainer._pack.refresh()
    weights, probe = dict(trainer._pack.weights), PROBE.expand(2, -1, -1)
    logits = trainer._model.logits(weights, probe)
    hidden = trainer._model.logits({**weights, "head": torch.eye(width).expand(2, -1, -1)}, probe)
    return hidden, logits


def slopes(recipe: Recipe) -> tuple[float, float]:
    grown = np.log2([change(width, recipe) for width in WIDTHS])
    hidden, logits = np.polyfit(np.log2(WIDTHS), grown, 1)[0]
    return hidden, logits


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_transferred_rates_change_activations_alike_at_every_width(optimizer) -> None:
    hidden, logits = slopes(Recipe(lr=0.004, optimizer=optimizer))
    assert abs(hidden) < 0.1
    assert abs(logits) < 0.1


def test_the_standard_parametrisation_does_not() -> None:
    _, logits = slopes(Recipe(lr=0.004, lr_rule="standard"))
    assert logits > 0.4
