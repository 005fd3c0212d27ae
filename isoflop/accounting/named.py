"""Published models by name, with the shape that their papers or released weights have."""

from dataclasses import dataclass

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.families import Model
from isoflop.accounting.gpt3 import GPT_3, N_TOKENS, architecture_of, find_flaw
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.transformer import Experts, Transformer
from isoflop.base.errors import UnknownNameError


@dataclass(frozen=True)
class NamedModel:
    """A model that can be counted by its name.

    Args:
        name: as `--model` takes it.
        model: its shape.
        source: where the shape is from.
        n_tokens: tokens it was trained on, where printed.
        note: what to know about the count.
    """

    name: str
    model: Model
    source: str
    n_tokens: float | None = None
    note: str = ""


def find_model(name: str) -> NamedModel:
    """Look a model up.

    Raises:
        UnknownNameError: no such model; suggests the nearest.

    >>> find_model("gpt3-175b").model.n_layer
    96
    """
    for each in NAMED:
        if each.name == name.lower():
            return each
    raise UnknownNameError("model", name, [each.name for each in NAMED])


def _llama(
    n_layer: int, d_model: int, d_ff: int, n_head: int, n_ctx: int, n_vocab: int
) -> Architecture:
    return Architecture(
        n_layer, d_model, d_ff, n_head=n_head, n_ctx=n_ctx, n_vocab=n_vocab, tied=False,
        positions="rotary",
    )  # fmt: skip


def _gpt3() -> tuple[NamedModel, ...]:
    source, dense = "Brown 2020, table 2.1", "attention counted dense; the band is not printed"
    return tuple(
        NamedModel(row.name, architecture_of(row), source, N_TOKENS, find_flaw(row) or dense)
        for row in GPT_3
    )


NAMED: tuple[NamedModel, ...] = (
    NamedModel(
        "gpt2-small",
        Transformer(Architecture(12, 768), norm="layer", biases=True),
        "Radford 2019, released weights; Kaplan 2020's (12, 768)",
    ),
    NamedModel(
        "gpt2-xl",
        Transformer(Architecture(48, 1600, n_head=25), norm="layer", biases=True),
        "Radford 2019, released weights; Kaplan 2020's (48, 1600)",
    ),
    *_gpt3(),
    NamedModel(
        "llama-2-7b",
        Transformer(_llama(32, 4096, 11008, 32, 4096, 32000), gated=True, norm="rms"),
        "Touvron 2023, released weights",
        2e12,
    ),
    NamedModel(
        "llama-3-8b",
        Transformer(_llama(32, 4096, 14336, 32, 8192, 128256), n_kv_head=8, gated=True, norm="rms"),
        "Llama 3, 2024, table 3 and released weights",
    ),
    NamedModel(
        "llama-3-405b",
        Transformer(
            _llama(126, 16384, 53248, 128, 8192, 128256), n_kv_head=8, gated=True, norm="rms"
        ),
        "Llama 3, 2024, table 3 and released weights",
        15.6e12,
    ),
    NamedModel(
        "mixtral-8x7b",
        Transformer(
            _llama(32, 4096, 14336, 32, 32768, 32000),
            n_kv_head=8,
            gated=True,
            experts=Experts(8, 2),
            norm="rms",
        ),
        "Jiang 2024, table 1 and released weights",
    ),
    NamedModel(
        "deepseek-moe-16b",
        Transformer(
            _llama(28, 2048, 10944, 16, 4096, 102400),
            gated=True,
            experts=Experts(64, 6, 2, 1408, 27),
            norm="rms",
        ),
        "Dai 2024, released weights",
        2e12,
    ),
    NamedModel(
        "awd-lstm",
        Lstm(3, 400, 1150, n_vocab=10_000, biases=True),
        "Merity 2017, Penn Treebank",
    ),
    NamedModel(
        "zaremba-large",
        Lstm(2, 1500, n_vocab=10_000, tied=False, biases=True),
        "Zaremba 2014, Penn Treebank",
    ),
)
"""Every model with a name."""
