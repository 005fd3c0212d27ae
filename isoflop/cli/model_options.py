"""Shapes of models as options of a command: a named model, a transformer, an LSTM, convolutions."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import click

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.named import NamedModel, find_model
from isoflop.accounting.transformer import Experts, Transformer
from isoflop.base.errors import InputError

Command = TypeVar("Command", bound=Callable[..., Any])
COMMON = ("n_layer", "d_model", "n_vocab", "tied", "biases")
EXPERTS = ("n_expert", "n_active", "n_shared", "d_expert", "expert_layers")
FAMILIES: Mapping[str, tuple[str, ...]] = {
    "transformer": (
        "d_ff", "d_attn", "n_head", "n_kv_head", "n_ctx", "positions", "span", "band", "gated",
        "passes", "norm", *EXPERTS,
    ),
    "lstm": ("d_hidden",),
    "conv": ("kernel", "gated", "separable"),
}  # fmt: skip
"""Options that each family takes besides the common ones."""


def model_options(command: Command) -> Command:
    """Hand a command the model that its options describe, as `model`; None if they do not."""

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        names = dict.fromkeys([*COMMON, *(name for each in FAMILIES.values() for name in each)])
        sizes = {name: named.pop(name) for name in names}
        chosen = {name: value for name, value in sizes.items() if value is not None}
        model = read_model(named.pop("model_name"), named.pop("family"), chosen)
        return command(*given, model=model, **named)

    wrapped: Any = call
    for option in reversed(_options()):
        wrapped = option(wrapped)
    return wrapped


def read_model(name: str | None, family: str | None, sizes: Mapping[str, Any]) -> NamedModel | None:
    """Build the model, or look it up; None if nothing was said.

    Raises:
        InputError: a size that cannot be, an option of another family, or a name and a shape.
    """
    if name is not None:
        return _named(name, family, sizes)
    if not sizes and family is None:
        return None
    family = family or "transformer"
    for option in sizes:
        if option not in (*COMMON, *FAMILIES[family]):
            raise InputError(f"{_flag(option)} does not belong to --family {family}")
    for option in ("n_layer", "d_model"):
        if option not in sizes:
            raise InputError(f"{_flag(option)} is missing; a shape needs it (or --model NAME)")
    _check_sizes(sizes)
    return NamedModel("your model", _BUILDERS[family](sizes), "the options")


def _named(name: str, family: str | None, sizes: Mapping[str, Any]) -> NamedModel:
    """Look a model up; its attention alone may be given another span."""
    others = [_flag(option) for option in sizes if option not in ("span", "band")]
    if others or family:
        raise InputError(f"--model {name} has its own shape; drop {[*others, '--family'][0]}")
    found = find_model(name)
    if not sizes:
        return found
    if not isinstance(found.model, Architecture | Transformer):
        raise InputError(f"{name} has no attention; drop {_flag(next(iter(sizes)))}")
    _check_sizes(sizes)
    plain = found.model if isinstance(found.model, Transformer) else Transformer(found.model)
    model = replace(plain, **sizes)
    asked = f"here {model.span}, band {model.band}" if model.band else "here dense"
    return replace(found, model=model, note="; ".join(filter(None, [found.note, asked])))


def _check_sizes(sizes: Mapping[str, Any]) -> None:
    for option, value in sizes.items():
        if option in ("n_layer", "d_model") or type(value) is not int:
            continue  # the model's own error names these
        if value < (0 if option == "n_shared" else 1):
            raise InputError(f"{_flag(option)} must be a positive integer, found {value}")


def _transformer(sizes: Mapping[str, Any]) -> Model:
    of_shape = (
        "n_layer", "d_model", "d_ff", "d_attn", "n_head", "n_ctx", "n_vocab", "tied", "positions",
    )  # fmt: skip
    beyond = ("span", "band", "n_kv_head", "gated", "passes", "norm", "biases")
    shape = Architecture(**_pick(sizes, of_shape))
    return Transformer(shape, experts=_experts(sizes), **_pick(sizes, beyond))


def _experts(sizes: Mapping[str, Any]) -> Experts | None:
    given = _pick(sizes, EXPERTS)
    if not given:
        return None
    if "n_expert" not in given:
        raise InputError(f"{_flag(next(iter(given)))} needs --n-expert, the experts of a layer")
    given["n_layer"] = given.pop("expert_layers", 0)
    return Experts(**given)


def _lstm(sizes: Mapping[str, Any]) -> Model:
    return Lstm(**_pick(sizes, (*COMMON, "d_hidden")))


def _convolutional(sizes: Mapping[str, Any]) -> Model:
    kind = "separable" if sizes.get("separable") else "full"
    gated = bool(sizes.get("gated"))
    return Convolutional(**_pick(sizes, (*COMMON, "kernel")), kind=kind, gated=gated)


_BUILDERS: Mapping[str, Callable[[Mapping[str, Any]], Model]] = {
    "transformer": _transformer,
    "lstm": _lstm,
    "conv": _convolutional,
}


def _pick(sizes: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: sizes[name] for name in names if name in sizes}


def _flag(option: str) -> str:
    return "--" + option.replace("_", "-")


def _options() -> list[Callable[[Any], Any]]:
    def size(flag: str, text: str) -> Callable[[Any], Any]:
        return click.option(flag, type=int, help=text)

    def choice(flag: str, names: list[str], text: str) -> Callable[[Any], Any]:
        return click.option(flag, type=click.Choice(names), help=text)

    return [
        click.option("--model", "model_name", help="A published model; --list shows them."),
        choice("--family", list(FAMILIES), "transformer by default."),
        size("--n-layer", "Blocks, or layers."),
        size("--d-model", "Width."),
        size("--d-ff", "Feed-forward width; 4·d_model by default."),
        size("--d-attn", "Attention width; d_model by default."),
        size("--n-head", "Heads; d_attn/64 by default."),
        size("--n-kv-head", "Heads of keys and values; n_head by default."),
        size("--n-ctx", "Context, tokens; 1024 by default."),
        size("--n-vocab", "Vocabulary; 50257 by default."),
        click.option("--tied/--untied", default=None, help="Head shares embedding; tied."),
        choice("--positions", ["learned", "rotary"], "learned by default."),
        choice("--span", ["dense", "banded", "alternating"], "Which layers see only a band."),
        size("--band", "Tokens back that a banded layer sees, itself included."),
        click.option("--gated", is_flag=True, default=None, help="Gated feed-forward, or conv."),
        size("--n-expert", "Experts of a layer: a mixture of experts."),
        size("--n-active", "Experts that a token is sent to; 2 by default."),
        size("--n-shared", "Experts that every token meets besides; 0 by default."),
        size("--d-expert", "Width of an expert; d_ff by default."),
        size("--expert-layers", "Layers that have experts; all by default."),
        size("--passes", "Passes through the layers: a recurrent, weight-shared transformer."),
        choice("--norm", ["none", "layer", "rms"], "Norms to count; none, as Kaplan."),
        click.option("--biases", is_flag=True, default=None, help="Count biases too."),
        size("--d-hidden", "Width of an LSTM layer; d_model by default."),
        size("--kernel", "Tokens a convolution sees; 3 by default."),
        click.option("--separable", is_flag=True, default=None, help="Depthwise-separable conv."),
    ]
