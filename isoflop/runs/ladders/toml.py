"""Read a ladder from TOML and print it back."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import cattrs
from cattrs.gen import make_dict_structure_fn, override
from cattrs.v import transform_error

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.families import Model
from isoflop.base import strict_toml
from isoflop.base.errors import InputError, SpecError, did_you_mean
from isoflop.runs.designs.dial import DIAL_KEYS, Dial, Own
from isoflop.runs.designs.tables import DESIGNS
from isoflop.runs.designs.toml import read_rungs, say_rungs, take_design
from isoflop.runs.ladders.checks import Parts, ladder_mistakes
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladders.print import ladder_hash as ladder_hash
from isoflop.runs.ladders.print import print_ladder as print_ladder
from isoflop.runs.ladders.print import print_spec as print_spec
from isoflop.runs.ladders.print import rung_row
from isoflop.runs.ladders.rung_checks import RungParts
from isoflop.runs.ladders.shapes import (
    MODEL_KEYS,
    foreign_keys,
    gather_model,
    register_models,
)
from isoflop.runs.recipe_toml import fill_recipe

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
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; `isoflop ladder example` prints one to begin with"
        ) from None
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
    document = strict_toml.loads(text, source=source)
    converter = _converter()
    document, design, mistakes = take_design(document, partial(_structure, converter))
    rungs: tuple[Rung, ...] = ()
    if design is not None:
        rungs, mistakes = read_rungs(design, document.get("tokenizer"))
    if design is not None or mistakes:
        document["rungs"] = [rung_row(rung) for rung in rungs]
    document = fill_recipe(_nest_shapes(document))
    ladder, found = _structure(converter, document, Ladder)
    if ladder is not None and not mistakes:
        return replace(ladder, design=design)
    parts = _read_parts(document, converter)
    parts = replace(parts, rungs=None) if mistakes else parts
    sense = [say_rungs(mistake, design, rungs) for mistake in ladder_mistakes(parts)]
    raise SpecError(f"{source}: " + "; ".join([*found, *mistakes, *sense]))


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


def _structure(converter: cattrs.Converter, value: Any, kind: type) -> tuple[Any, list[str]]:
    """Return the dataclass and no mistakes, or None and its mistakes of form."""
    try:
        return converter.structure(value, kind), []
    except Exception as error:
        lines = transform_error(error, format_exception=_explain)
        return None, [_sentence(line) for line in lines if not line.startswith(_SENSE)]


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
    for kind in (Recipe, Evaluation, Architecture, Rung, Ladder, Own, Dial, *DESIGNS.values()):
        hidden = {"design": override(omit=True)} if kind is Ladder else {}  # no key of a file
        table = make_dict_structure_fn(
            kind,
            converter,
            _cattrs_forbid_extra_keys=True,
            **hidden,  # pyright: ignore[reportArgumentType]
        )
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
    rungs = document.get("rungs")
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
        tables = ", ".join(f"[{name}]" for name in DESIGNS)
        instead = f"; or give one of the tables {tables}" if error.args[0] == "rungs" else ""
        return f"required key {error.args[0]!r} is missing{instead}"
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        if foreign := foreign_keys(error):
            return foreign
        known = _known_keys(error.cl)
        keys = sorted(error.extra_fields)
        return "; ".join(f"unknown key {key!r}{did_you_mean(key, known)}" for key in keys)
    return str(error)


def _known_keys(kind: type) -> list[str]:
    """The keys of a table, as the file has them."""
    known = [field.name for field in fields(kind) if field.name not in ("architecture", "dial")]
    known += ("family", *MODEL_KEYS) if kind is Rung else ()
    known += DIAL_KEYS if kind in DESIGNS.values() else ()
    return known + (list(DESIGNS) if kind is Ladder else [])


def _sentence(line: str) -> str:
    """Turn cattrs' 'message @ $.path' into 'path: message'."""
    message, _, path = line.rpartition(" @ $")
    path = path.lstrip(".").replace(".architecture", "").replace(".shape", "")
    return f"{path}: {message}" if path else message
