"""Read a ladder from TOML: the ladder, or every mistake of the file at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from cattrs import Converter

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.families import Model
from isoflop.base import strict_toml
from isoflop.base.errors import InputError, SpecError
from isoflop.runs.designs.tables import DESIGNS
from isoflop.runs.designs.toml import take_designs
from isoflop.runs.ladders.checks import Parts, ladder_mistakes, tokenizer_vocab
from isoflop.runs.ladders.form import make_converter, structure
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe
from isoflop.runs.ladders.mistakes import say_mistakes
from isoflop.runs.ladders.print import ladder_hash as ladder_hash
from isoflop.runs.ladders.print import print_ladder as print_ladder
from isoflop.runs.ladders.print import print_spec as print_spec
from isoflop.runs.ladders.print import rung_row
from isoflop.runs.ladders.rung_checks import RungParts
from isoflop.runs.ladders.salvage import read_fields, read_list, read_part
from isoflop.runs.ladders.shapes import gather_model
from isoflop.runs.recipes.toml import fill_recipe

Corpora = Callable[[str], str]
"""What is wrong with the name or path of a corpus, empty if nothing."""


def read_ladder(path: Path | str, *, corpora: Corpora | None = None) -> Ladder:
    """Read a ladder file.

    Args:
        path: a TOML file as `print_ladder` writes it; see docs/formats.md.
        corpora: also holds its corpora against those there are; not checked if None.

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
    except IsADirectoryError:
        inside = path / "ladder.toml"
        remedy = f"; did you mean {inside}?" if inside.is_file() else ""
        raise InputError(f"{path} is a folder, expected a ladder file{remedy}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a ladder file ({error})") from None
    return parse_ladder(text, source=str(path), corpora=corpora)


def parse_ladder(text: str, *, source: str = "ladder", corpora: Corpora | None = None) -> Ladder:
    """Parse the text of a ladder file; see `read_ladder`.

    Args:
        text: TOML.
        source: name used in errors.
        corpora: as of `read_ladder`.

    Raises:
        SpecError: not TOML, or mistakes, all listed in one message with their paths.
    """
    file = strict_toml.loads(text, source=source)
    converter = make_converter()
    taken = take_designs(file, converter)
    mistakes = [*taken.mistakes, *_empty_rates(file), *_corpus_mistakes(file, corpora)]
    document: dict[str, Any] = dict(taken.rest)
    rungs = taken.tables[0].laid.rungs if len(taken.tables) == 1 else ()
    if taken.tables:
        document.setdefault("rungs", [rung_row(rung) for rung in rungs])
    document = fill_recipe(_lay_out_rungs(document))
    ladder, found = structure(converter, document, Ladder)
    if ladder is not None and not mistakes:
        return replace(ladder, design=taken.tables[0].design if taken.tables else None)
    parts = _read_parts(document, converter)
    said: list[str] = []
    if not taken.tables or "rungs" in file:
        said += say_mistakes([*found, *ladder_mistakes(parts)])
        found = []
    for table in taken.tables:
        sense = ladder_mistakes(replace(parts, rungs=table.laid.parts or None))
        said += say_mistakes([*mistakes, *found, *sense], table.read, table.names)
    raise SpecError(source, sorted(dict.fromkeys([*mistakes, *said]), key=_place_in(file)))


def _place_in(file: Mapping[str, Any]) -> Callable[[str], tuple[int, int]]:
    """Sort mistakes as the file goes; what is no key of it comes first."""
    order = {name: place for place, name in enumerate(file)}

    def place(sentence: str) -> tuple[int, int]:
        match = re.match(r"(\w+)(?:\[(\d+)\])?", sentence)
        if match is None:
            return -1, 0
        return order.get(match[1], -1), int(match[2] or 0)

    return place


def _empty_rates(file: Mapping[str, Any]) -> Iterator[str]:
    """A bracket of no rates: it would be taken for none asked for."""
    rungs = file.get("rungs")
    tables = list(enumerate(rungs)) if isinstance(rungs, list) else []
    named = [(f"rungs[{index}]", rung) for index, rung in tables]
    for name in DESIGNS:
        table = file.get(name)
        own = table.get("own") if isinstance(table, dict) else None
        named.append((name, table))
        named += [(f"{name}.own.{r}", t) for r, t in own.items()] if isinstance(own, dict) else []
    for path, table in named:
        if isinstance(table, dict) and table.get("lrs") == []:
            yield f"{path}.lrs is empty, expected at least one rate; left out, it is the recipe's"


def _corpus_mistakes(file: Mapping[str, Any], corpora: Corpora | None) -> Iterator[str]:
    """Yield what is wrong with the corpora that a file names."""
    if corpora is None:
        return
    named = [("corpus", file.get("corpus"))]
    evaluation = file.get("evaluation")
    sets = evaluation.get("test_sets") if isinstance(evaluation, dict) else None
    if isinstance(sets, list):
        named += [(f"evaluation.test_sets[{index}]", name) for index, name in enumerate(sets)]
    for path, name in named:
        if isinstance(name, str) and (wrong := corpora(name)):
            yield f"{path} is {name!r}, {wrong}"


def _read_parts(document: dict[str, Any], converter: Converter) -> Parts:
    rungs = document.get("rungs")
    recipe, unread = read_fields(converter, document.get("recipe", {}), Recipe)
    evaluation, also_unread = read_fields(converter, document.get("evaluation", {}), Evaluation)
    return Parts(
        name=read_part(converter, document.get("name"), str),
        tokenizer=read_part(converter, document.get("tokenizer"), str),
        seed=read_part(converter, document.get("seed"), int),
        max_epochs=read_part(converter, document.get("max_epochs"), float),
        recipe=recipe,
        evaluation=evaluation,
        rungs=tuple(_read_rung(rung, converter) for rung in rungs)
        if isinstance(rungs, list)
        else None,
        unread=frozenset(
            [f"recipe.{name}" for name in unread] + [f"evaluation.{name}" for name in also_unread]
        ),
    )


def _read_rung(value: Any, converter: Converter) -> RungParts | None:
    if not isinstance(value, dict):
        return None
    model = value["architecture"]
    return RungParts(
        name=read_part(converter, value.get("name"), str),
        architecture=read_part(converter, model, Model),
        seeds=read_part(converter, value.get("seeds"), int),
        token_budgets=read_list(converter, value.get("token_budgets"), int),
        dropout=read_part(converter, value.get("dropout", 0.0), float),
        lrs=read_list(converter, value.get("lrs", []), float),
        n_ctx=read_part(converter, model.get("n_ctx", Architecture.n_ctx), int),
        n_vocab=read_part(converter, model.get("n_vocab"), int),
    )


def _lay_out_rungs(document: dict[str, Any]) -> dict[str, Any]:
    """Gather each rung's model under `architecture`; a vocabulary left out is the tokenizer's."""
    rungs, tokenizer = document.get("rungs"), document.get("tokenizer")
    if not isinstance(rungs, list):
        return document
    vocab = tokenizer_vocab(tokenizer) if isinstance(tokenizer, str) else None
    given = {} if vocab is None else {"n_vocab": vocab}
    laid = [gather_model({**given, **rung}) if isinstance(rung, dict) else rung for rung in rungs]
    return {**document, "rungs": laid}
