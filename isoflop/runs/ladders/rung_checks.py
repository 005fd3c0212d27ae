"""Mistakes of one rung, all of them, each with its path."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.transformer import Transformer

if TYPE_CHECKING:
    from isoflop.runs.ladders.ladder import Rung

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
"""What a ladder or a rung may be called."""


MOST_TOKENS = 10**18
"""Of a run: far beyond all text there is, and an integer that a file can hold."""
MODELS_OF_A_PACK = 256
"""Beyond, a pack has left every cache long ago."""


@dataclass(frozen=True)
class RungParts:
    """What could be read of a rung; None is what could not, or what is not told."""

    name: str | None = None
    architecture: Model | None = None
    seeds: int | None = None
    token_budgets: tuple[int, ...] | None = None
    dropout: float | None = None
    lrs: tuple[float, ...] | None = None
    n_ctx: int | None = None
    n_vocab: int | None = None


def parts_of(rung: "Rung") -> RungParts:
    """Return a whole rung as its parts."""
    return RungParts(
        name=rung.name,
        architecture=rung.architecture,
        seeds=rung.seeds,
        token_budgets=rung.token_budgets,
        dropout=rung.dropout,
        lrs=rung.lrs,
        n_ctx=rung.architecture.n_ctx,
        n_vocab=rung.architecture.n_vocab,
    )


def rung_mistakes(path: str, rung: RungParts) -> Iterator[str]:
    """Yield one sentence per mistake that the rung has whatever ladder it stands in."""
    if rung.name is not None and not NAME.fullmatch(rung.name):
        yield f"{path}.name is {rung.name!r}, expected 1 to 40 of A-Z a-z 0-9 . _ -"
    if rung.seeds is not None and not 1 <= rung.seeds <= 64:
        yield f"{path}.seeds is {rung.seeds}, expected 1 to 64"
    if rung.dropout is not None and not 0 <= rung.dropout < 1:
        yield f"{path}.dropout is {rung.dropout}, expected from 0 to below 1"
    if rung.architecture is not None:
        yield from (f"{path}: {mistake}" for mistake in _model_mistakes(rung.architecture))
    if rung.token_budgets is not None:
        yield from _budget_mistakes(f"{path}.token_budgets", rung.token_budgets)
    if rung.lrs:
        yield from _lrs_mistakes(path, rung.lrs)
    if rung.seeds is not None and rung.lrs is not None:
        members = rung.seeds * max(1, len(rung.lrs))
        if members > MODELS_OF_A_PACK:
            yield (
                f"{path}: {members} models in a pack (seeds times lrs), expected at most "
                f"{MODELS_OF_A_PACK}"
            )


def _lrs_mistakes(path: str, lrs: tuple[float, ...]) -> Iterator[str]:
    if any(not 0 < lr < 1 for lr in lrs):
        yield f"{path}.lrs is {list(lrs)}, expected rates between 0 and 1"
    elif any(high < 1.01 * low for low, high in itertools.pairwise(lrs)):
        yield f"{path}.lrs must increase by at least 1 %, found {list(lrs)}"


def _budget_mistakes(path: str, budgets: tuple[int, ...]) -> Iterator[str]:
    if not budgets:
        yield f"{path} is empty, expected at least one number of tokens"
    if any(low >= high for low, high in itertools.pairwise(budgets)):
        yield f"{path} must increase, found {list(budgets)}"
    if budgets and budgets[-1] > MOST_TOKENS:
        yield f"{path}: {budgets[-1]:g} tokens, expected at most {MOST_TOKENS:g}"


def _model_mistakes(model: Model) -> Iterator[str]:
    if not isinstance(model, Architecture) and model.biases:
        yield "biases are counted but not trained; leave them out"
    if isinstance(model, Transformer):
        yield from _transformer_mistakes(model)
    if isinstance(model, Architecture | Transformer):
        shape = model if isinstance(model, Architecture) else model.shape
        head_width = shape.d_attn // shape.n_head
        if shape.positions == "rotary" and head_width % 2:
            yield f"rotary positions need an even head width, found {head_width}"
    if isinstance(model, Convolutional) and model.kernel > model.n_ctx:
        yield f"kernel = {model.kernel} sees beyond n_ctx = {model.n_ctx}; make it at most that"
    if isinstance(model, Lstm) and model.tied and model.n_layer == 1:
        yield from _tied_lstm_mistakes(model)


def _tied_lstm_mistakes(model: Lstm) -> Iterator[str]:
    """A tied head makes the last layer d_model wide: with one layer d_hidden would say nothing."""
    if model.d_hidden != model.d_model:
        yield (
            f"d_hidden = {model.d_hidden} is not used: a tied head makes the only layer "
            f"d_model = {model.d_model} wide; leave it out or set tied = false"
        )


def _transformer_mistakes(model: Transformer) -> Iterator[str]:
    """What can be counted and not yet trained."""
    if model.experts is not None:
        yield "experts are counted but not trained; leave them out"
    if model.n_kv_head != model.shape.n_head:
        yield "n_kv_head is counted but not trained; leave it out"
    if model.norm != "none":
        yield "norms with weights are counted but not trained; leave norm out"
