"""Transformers beyond the plain one: banded attention, experts, shared layers, gates, norms."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.inventory import Inventory, Part, Scores, whole
from isoflop.base.errors import InputError

Span = Literal["dense", "banded", "alternating"]
Norm = Literal["none", "layer", "rms"]


@dataclass(frozen=True)
class Experts:
    """A mixture of experts in place of the feed-forward layer.

    Args:
        n_expert: routed experts of a layer.
        n_active: routed experts that a token is sent to.
        n_shared: experts that every token meets besides.
        d_expert: hidden width of one expert; the architecture's d_ff if 0.
        n_layer: layers that have experts, the others staying dense; all if 0.

    Raises:
        InputError: a count that is not positive, or more active experts than there are.
    """

    n_expert: int
    n_active: int = 2
    n_shared: int = 0
    d_expert: int = 0
    n_layer: int = 0

    def __post_init__(self) -> None:
        for name in ("n_expert", "n_active"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be a positive integer, found {getattr(self, name)}")
        for name in ("n_shared", "d_expert", "n_layer"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} of the experts must not be negative")
        if self.n_active > self.n_expert:
            raise InputError(
                f"a token cannot be sent to {self.n_active} of {self.n_expert} experts; "
                "n_active counts the experts that one token meets"
            )


@dataclass(frozen=True)
class Transformer:
    """A decoder-only transformer of any of the kinds that scaling laws were measured on.

    Args:
        shape: sizes; d_attn is the width of the queries.
        span: which layers attend to a band only; `alternating` is dense, banded, dense, ….
        band: tokens back that a banded layer looks, itself included.
        n_kv_head: heads of keys and values; n_head if 0 (fewer is grouped-query attention).
        gated: whether the feed-forward layer has a gate, three matrices instead of two.
        experts: mixture of experts, if any.
        passes: times that a token goes through the n_layer layers (Universal Transformers).
        norm: norms to count, two a layer and one at the end; Kaplan 2020 counts none.
        biases: whether to count the biases of the blocks' matrices; Kaplan 2020 does not.

    Raises:
        InputError: a band outside 1 … n_ctx, or one missing; heads that do not divide; experts in
            more layers than there are.

    >>> from isoflop.accounting.params import count_params
    >>> small = Architecture(n_layer=12, d_model=768)
    >>> count_params(Transformer(small, norm="layer", biases=True)).total  # GPT-2 as released
    124439808
    """

    shape: Architecture
    span: Span = "dense"
    band: int = 0
    n_kv_head: int = 0
    gated: bool = False
    experts: Experts | None = None
    passes: int = 1
    norm: Norm = "none"
    biases: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_kv_head", self.n_kv_head or self.shape.n_head)
        mistakes = list(_mistakes(self))
        if mistakes:
            raise InputError("; ".join(mistakes))

    @property
    def n_layer(self) -> int:
        """Blocks stored."""
        return self.shape.n_layer

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.shape.d_model

    @property
    def n_ctx(self) -> int:
        """Context length, tokens."""
        return self.shape.n_ctx

    @property
    def n_vocab(self) -> int:
        """Vocabulary, tokens."""
        return self.shape.n_vocab

    @property
    def tied(self) -> bool:
        """Whether the output head shares the token embedding."""
        return self.shape.tied

    def is_banded(self, layer: int) -> bool:
        """Tell whether a layer (from 0) sees only its band: every one, or every second."""
        return self.span == "banded" or (self.span == "alternating" and layer % 2 == 1)


def inventory_of(model: Transformer) -> Inventory:
    """Take a transformer apart."""
    a = model.shape
    parts = [
        whole("token_embedding", a.n_vocab * a.d_model),
        whole("position", a.n_ctx * a.d_model if a.positions == "learned" else 0),
        _attention(model),
        *_feed_forward(model),
        whole("norm", _norm_weights(model)),
        _biases(model),
        whole("head", 0 if a.tied else a.n_vocab * a.d_model),
    ]
    return Inventory(tuple(parts), _scores(model), a.n_vocab, a.d_model, a.d_model)


def _kv_width(model: Transformer) -> int:
    return model.shape.d_attn // model.shape.n_head * model.n_kv_head


def _attention(model: Transformer) -> Part:
    a = model.shape
    one = a.d_model * (2 * a.d_attn + 2 * _kv_width(model))
    return whole("attention", a.n_layer * one, passes=model.passes)


def _expert_layers(model: Transformer) -> int:
    return (model.experts.n_layer or model.shape.n_layer) if model.experts else 0


def _feed_forward(model: Transformer) -> list[Part]:
    a, experts = model.shape, model.experts
    matrices = 3 if model.gated else 2
    dense = (a.n_layer - _expert_layers(model)) * matrices * a.d_model * a.d_ff
    if experts is None:
        return [whole("feed_forward", dense, passes=model.passes)]
    one = _expert_layers(model) * matrices * a.d_model * (experts.d_expert or a.d_ff)
    stored = dense + one * (experts.n_expert + experts.n_shared)
    active = dense + one * (experts.n_active + experts.n_shared)
    router = _expert_layers(model) * a.d_model * experts.n_expert
    return [
        Part("feed_forward", stored, active, model.passes),
        whole("router", router, passes=model.passes),
    ]


def _norm_weights(model: Transformer) -> int:
    each = {"none": 0, "rms": 1, "layer": 2}[model.norm]
    return each * model.shape.d_model * (2 * model.shape.n_layer + 1)


def _biases(model: Transformer) -> Part:
    if not model.biases:
        return whole("bias", 0)
    a, experts = model.shape, model.experts
    gates = 2 if model.gated else 1
    attention = a.n_layer * (a.d_attn + 2 * _kv_width(model) + a.d_model)
    dense = (a.n_layer - _expert_layers(model)) * (gates * a.d_ff + a.d_model)
    if experts is None:
        return whole("bias", attention + dense)
    one = _expert_layers(model) * (gates * (experts.d_expert or a.d_ff) + a.d_model)
    stored, active = (
        attention + dense + one * (n + experts.n_shared)
        for n in (experts.n_expert, experts.n_active)
    )
    return Part("bias", stored, active)


def _scores(model: Transformer) -> tuple[Scores, ...]:
    a = model.shape
    banded = sum(model.is_banded(layer) for layer in range(a.n_layer))
    bands = ((a.n_layer - banded, a.n_ctx), (banded, model.band))
    return tuple(
        Scores(n * model.passes, a.d_attn, a.n_head, a.n_ctx, band) for n, band in bands if n
    )


def _mistakes(model: Transformer) -> Iterator[str]:
    """Yield a sentence for everything that cannot be."""
    a = model.shape
    for name, found, known in (
        ("span", model.span, ("dense", "banded", "alternating")),
        ("norm", model.norm, ("none", "layer", "rms")),
    ):
        if found not in known:
            yield f"{name} must be one of {', '.join(known)}, found {found!r}"
    if model.span == "dense" and model.band:
        yield "a band needs span, banded or alternating: which layers see only it"
    if model.span in ("banded", "alternating") and not 1 <= model.band <= a.n_ctx:
        yield (
            f"{model.span} attention needs a band of 1 to n_ctx = {a.n_ctx} tokens, "
            f"found {model.band}"
        )
    if model.n_kv_head < 1 or a.n_head % model.n_kv_head:
        yield f"{model.n_kv_head} key-value heads do not divide {a.n_head}"
    if model.passes < 1:
        yield f"passes must be a positive integer, found {model.passes}"
    if model.experts and model.experts.n_layer > a.n_layer:
        yield (
            f"experts in {model.experts.n_layer} of {a.n_layer} layers: "
            "give at most as many as there are"
        )
