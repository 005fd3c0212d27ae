"""The families a rung can be of: their keys in a ladder file, read, printed and named.

A sixth family costs one entry of `FAMILIES` here and one of `isoflop.lab.models.families`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, override

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.transformer import Transformer

SHAPE_KEYS = tuple(field.name for field in fields(Architecture))
"""Keys of a plain transformer."""
_COMMON = ("n_layer", "d_model", "n_ctx", "n_vocab", "tied")


@dataclass(frozen=True)
class Family:
    """How a family is written in a ladder file.

    Args:
        kind: its dataclass in `isoflop.accounting`.
        keys: the fields that the lab can train; the others keep their defaults.
    """

    kind: type[Transformer] | type[Lstm] | type[Convolutional]
    keys: tuple[str, ...]


FAMILIES: Mapping[str, Family] = {
    "transformer": Family(Transformer, (*SHAPE_KEYS, "span", "band", "gated", "passes")),
    "lstm": Family(Lstm, (*_COMMON, "d_hidden")),
    "conv": Family(Convolutional, (*_COMMON, "kernel", "kind", "gated")),
}
"""Families by the name that a ladder file gives them."""

MODEL_KEYS = tuple(dict.fromkeys(key for each in FAMILIES.values() for key in each.keys))
"""Every key of any family."""


def plain_model(model: Model) -> Model:
    """Return the `Architecture` of a transformer that has nothing beyond it.

    So that one shape is written, hashed and compared in one way.

    >>> shape = Architecture(n_layer=2, d_model=16)
    >>> plain_model(Transformer(shape)) == shape
    True
    """
    if isinstance(model, Transformer) and model == Transformer(model.shape):
        return model.shape
    return model


def family_name(model: Model) -> str:
    """Return the name that a ladder file gives a model's family.

    >>> family_name(Lstm(n_layer=1, d_model=8)), family_name(Architecture(1, 8))
    ('lstm', 'transformer')
    """
    return next(
        (name for name, each in FAMILIES.items() if isinstance(model, each.kind)), "transformer"
    )


def model_label(model: Model) -> str:
    """Return what tells a model's family apart in the run table: its kind and its depth.

    >>> model_label(Architecture(2, 8)), model_label(Convolutional(2, 8, kind="separable"))
    ('2layer', 'conv-separable-gated-2layer')
    >>> model_label(Transformer(Architecture(2, 8, n_ctx=64), "alternating", 16, passes=3))
    'alternating-3passes-2layer'
    """
    words: list[str] = []
    if isinstance(model, Lstm):
        words = ["lstm"]
    elif isinstance(model, Convolutional):
        words = ["conv", model.kind, *(["gated"] if model.gated else [])]
    elif isinstance(model, Transformer):
        words += [model.span] if model.span != "dense" else []
        words += ["gated"] if model.gated else []
        words += [f"{model.passes}passes"] if model.passes > 1 else []
    return "-".join([*words, f"{model.n_layer}layer"])


def model_row(model: Model) -> dict[str, Any]:
    """Return a model's keys as a ladder file has them; a plain transformer leaves out `family`."""
    if isinstance(model, Architecture):
        return {key: getattr(model, key) for key in SHAPE_KEYS}
    row: dict[str, Any] = {"family": family_name(model)}
    for key in FAMILIES[row["family"]].keys:
        holder = model.shape if isinstance(model, Transformer) and key in SHAPE_KEYS else model
        row[key] = getattr(holder, key)
    return row


def gather_model(rung: dict[str, Any]) -> dict[str, Any]:
    """Gather the model's keys of a rung's table under `architecture`, as the dataclass has them."""
    names = ("family", *MODEL_KEYS)
    model = {key: value for key, value in rung.items() if key in names}
    return {**{k: v for k, v in rung.items() if k not in names}, "architecture": model}


def register_models(converter: cattrs.Converter) -> None:
    """Teach a converter to read a model from its gathered keys."""
    read = {}
    for name, family in FAMILIES.items():
        left_out = {
            field.name: override(omit=True)
            for field in fields(family.kind)
            if field.name not in (*family.keys, "shape")
        }
        read[name] = make_dict_structure_fn(
            family.kind,  # pyright: ignore[reportArgumentType]
            converter,
            _cattrs_forbid_extra_keys=True,
            **left_out,  # pyright: ignore[reportArgumentType]
        )

    def read_model(value: dict[str, Any], _: Any) -> Any:
        value = dict(value)
        name = value.pop("family", "transformer")
        if not isinstance(name, str) or name not in FAMILIES:
            found = repr(name) if isinstance(name, str) else str(name)
            raise ValueError(f"family is {found}, expected {', '.join(FAMILIES)}")
        if name == "transformer":
            shape = {key: value.pop(key) for key in SHAPE_KEYS if key in value}
            value["shape"] = shape
        return read[name](value, FAMILIES[name].kind)

    converter.register_structure_hook_func(lambda kind: kind == Model, read_model)


def foreign_keys(error: cattrs.ForbiddenExtraKeysError) -> str | None:
    """Explain keys that belong to another family; None if the error is about something else."""
    for name, family in FAMILIES.items():
        if error.cl is family.kind:
            keys = ", ".join(sorted(error.extra_fields))
            return f"{keys}: not of family {name}, which has {', '.join(family.keys)}"
    return None
