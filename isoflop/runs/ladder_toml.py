"""Read a ladder from TOML and print it back."""

import hashlib
import tomllib
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import cattrs
from cattrs.gen import make_dict_structure_fn
from cattrs.v import transform_error

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.families import Model
from isoflop.base.errors import InputError, SpecError, did_you_mean
from isoflop.runs.evaluation import evaluation_row
from isoflop.runs.ladder import MAX_EPOCHS, Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladder_checks import Parts, ladder_mistakes
from isoflop.runs.ladder_shapes import (
    MODEL_KEYS,
    foreign_keys,
    gather_model,
    model_row,
    register_models,
)
from isoflop.runs.recipe_toml import fill_recipe, recipe_row
from isoflop.runs.rung_checks import RungParts

_SENSE = "sense"
"""Stands for the ladder's own error, whose mistakes `ladder_mistakes` lists."""
_Part = TypeVar("_Part")


def read_ladder(path: Path | str) -> Ladder:
    """Read a ladder file.

    Args:
        path: a TOML file as `print_ladder` writes it; see docs/formats.md.

    Returns:
        The ladder.

    Raises:
        InputError: no such file.
        SpecError: not TOML, or mistakes, all listed in one message with their paths.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a ladder file ({error})") from None
    return parse_ladder(text, source=str(path))


def parse_ladder(text: str, *, source: str = "ladder") -> Ladder:
    """Parse the text of a ladder file; see `read_ladder`.

    Args:
        text: TOML.
        source: name used in errors.

    Raises:
        SpecError: not TOML, or mistakes, all listed in one message with their paths.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source}: not valid TOML: {error}") from None
    document, converter = fill_recipe(_nest_shapes(document)), _converter()
    try:
        return converter.structure(document, Ladder)
    except Exception as error:
        lines = transform_error(error, format_exception=_explain)
        found = [_sentence(line) for line in lines if not line.startswith(_SENSE)]
        found += ladder_mistakes(_read_parts(document, converter))
        raise SpecError(f"{source}: " + "; ".join(found)) from None


def print_ladder(ladder: Ladder) -> str:
    """Print a ladder as TOML such that `parse_ladder` gives it back.

    >>> shape = Architecture(n_layer=2, d_model=16, n_ctx=64, n_vocab=256)
    >>> ladder = Ladder("demo", "sotu", "bytes", (Rung("d16", shape, 1, (65536,)),))
    >>> parse_ladder(print_ladder(ladder)) == ladder
    True
    """
    head = {name: getattr(ladder, name) for name in ("name", "corpus", "tokenizer", "seed")}
    if ladder.max_epochs != MAX_EPOCHS:  # old ladders keep their hash
        head["max_epochs"] = ladder.max_epochs
    blocks = [
        _print_table(head),
        "[recipe]\n" + _print_table(recipe_row(ladder.recipe)),
        "[evaluation]\n" + _print_table(evaluation_row(ladder.evaluation)),
    ]
    for rung in ladder.rungs:
        row = {"name": rung.name, **model_row(rung.architecture)}
        row |= {"dropout": rung.dropout} if rung.dropout else {}  # old ladders keep their hash
        row |= {"seeds": rung.seeds, "token_budgets": list(rung.token_budgets)}
        row |= {"lrs": list(rung.lrs)} if rung.lrs else {}
        blocks.append("[[rungs]]\n" + _print_table(row))
    return "\n".join(blocks)


def ladder_hash(ladder: Ladder) -> str:
    """Return the identity of a ladder: SHA-256 of its printed form, hexadecimal."""
    return hashlib.sha256(print_ladder(ladder).encode()).hexdigest()


def _read_parts(document: dict[str, Any], converter: cattrs.Converter) -> Parts:
    rungs = document.get("rungs")
    return Parts(
        name=_read_part(document.get("name"), str, converter),
        tokenizer=_read_part(document.get("tokenizer"), str, converter),
        seed=_read_part(document.get("seed"), int, converter),
        max_epochs=_read_part(document.get("max_epochs"), float, converter),
        recipe=_read_part(document.get("recipe", {}), Recipe, converter),
        evaluation=_read_part(document.get("evaluation", {}), Evaluation, converter),
        rungs=tuple(_read_rung(rung, converter) for rung in rungs)
        if isinstance(rungs, list)
        else None,
    )


def _read_rung(value: Any, converter: cattrs.Converter) -> Rung | RungParts | None:
    whole = _read_part(value, Rung, converter)
    if whole is not None or not isinstance(value, dict):
        return whole
    return RungParts(
        name=_read_part(value.get("name"), str, converter),
        architecture=_read_part(value.get("architecture"), Model, converter),
        seeds=_read_part(value.get("seeds"), int, converter),
        token_budgets=_read_part(value.get("token_budgets"), tuple[int, ...], converter),
        dropout=_read_part(value.get("dropout", 0.0), float, converter),
    )


def _read_part(value: Any, kind: type[_Part] | Any, converter: cattrs.Converter) -> _Part | None:
    try:
        return converter.structure(value, kind)
    except Exception:  # its mistakes of form are in the message already
        return None


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind in (int, float, bool, str):
        converter.register_structure_hook(kind, _exact)
    converter.register_structure_hook_func(lambda kind: get_origin(kind) is Literal, _one_of)
    register_models(converter)
    for kind in (Recipe, Evaluation, Architecture, Rung, Ladder):
        table = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)
        converter.register_structure_hook(kind, partial(_table, table))
    return converter


def _exact(value: Any, kind: type) -> Any:
    """Accept a value of the declared type only: cattrs would call int("12") or bool("no")."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"expected {kind.__name__}, found {value!r}")
    return value


def _table(structure: Callable[[Any, type], Any], value: Any, kind: type) -> Any:
    """Accept a table only."""
    if not isinstance(value, dict):
        raise TypeError(f"expected a table, found {value!r}")
    return structure(value, kind)


def _one_of(value: Any, kind: Any) -> Any:
    """Accept one of the listed words."""
    if value not in get_args(kind):
        raise TypeError(f"expected {' or '.join(get_args(kind))}, found {value!r}")
    return value


def _nest_shapes(document: dict[str, Any]) -> dict[str, Any]:
    """Gather each rung's model under `architecture`, as the dataclass has it."""
    rungs = document.get("rungs", [])
    if not isinstance(rungs, list):
        return document
    return {
        **document,
        "rungs": [gather_model(rung) if isinstance(rung, dict) else rung for rung in rungs],
    }


def _explain(error: BaseException, _kind: type | None) -> str:
    if isinstance(error, SpecError):
        return _SENSE
    if str(error).endswith("object is not iterable"):  # cattrs' way to say so
        return "expected a list"
    if isinstance(error, KeyError):
        return f"required key {error.args[0]!r} is missing"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        if foreign := foreign_keys(error):
            return foreign
        known = [field.name for field in fields(error.cl) if field.name != "architecture"]
        known += ("family", *MODEL_KEYS) if error.cl is Rung else ()
        keys = sorted(error.extra_fields)
        return "; ".join(f"unknown key {key!r}{did_you_mean(key, known)}" for key in keys)
    return str(error)


def _sentence(line: str) -> str:
    """Turn cattrs' 'message @ $.path' into 'path: message'."""
    message, _, path = line.rpartition(" @ $")
    path = path.lstrip(".").replace(".architecture", "").replace(".shape", "")
    return f"{path}: {message}" if path else message


def _print_table(row: dict[str, Any]) -> str:
    return "".join(f"{key} = {_print_value(value)}\n" for key, value in row.items())


def _print_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_print_value(item) for item in value) + "]"
    return repr(value)
