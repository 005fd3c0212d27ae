"""Which part of the work is whose: equal shares of a step's rows and of held-out windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.transformer import Transformer
from isoflop.base.errors import InputError
from isoflop.lab.engines.engine import Engine, read_engine
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.settle import settle_recipe
from isoflop.store.study import Study


@dataclass(frozen=True)
class Split:
    """How a rung is divided.

    Args:
        processes: ranks.
        shard: whether the weights are divided too (FSDP2), not only the rows (DDP).
    """

    processes: int
    shard: bool = False


def check_split(ladder: Ladder, rung: Rung, split: Split) -> None:
    """Refuse a rung that cannot be divided so.

    Args:
        ladder: its recipe and evaluation.
        rung: what is trained.
        split: how.

    Raises:
        InputError: the rows of a step do not divide; or the weights are to be divided, but the
            model is not a transformer, the optimizer needs whole matrices, or gradient noise is
            asked for, whose single gradients every rank would have to gather.
    """
    recipe = settle_recipe(ladder.recipe, rung)
    rows = recipe.batch_tokens // rung.architecture.n_ctx
    if rows % split.processes:
        raise InputError(
            f"rung {rung.name}: {rows} rows a step ({recipe.batch_tokens} tokens of contexts of "
            f"{rung.architecture.n_ctx}) do not divide among {split.processes} processes; choose "
            "processes that divide them, or another batch_tokens"
        )
    if split.shard:
        _check_shards(ladder, rung, recipe.optimizer)


def check_study(study: Study, name: str, split: Split) -> Engine:
    """Return the engine of a rung of a study, or say why it cannot be divided so.

    Args:
        study: prepared for training.
        name: of the rung.
        split: how.

    Raises:
        InputError: see `check_split`; or no such rung; or the study is not prepared; or one
            process trains the rung in several packs, where ranks train one together.
    """
    names, settings = [rung.name for rung in study.ladder.rungs], study.settings()
    if name not in names:
        raise InputError(f"{study.path} has no rung {name}; it has {', '.join(names)}")
    if not settings:
        raise InputError(f"{study.path} is not prepared for training; see docs/distributed.md")
    rung = study.ladder.rung(name)
    check_split(study.ladder, rung, split)
    check_packs(settings, rung)
    return read_engine(settings, rung, settings["precision"])


def check_packs(settings: Mapping[str, Any], rung: Rung) -> None:
    """Refuse a rung that its study trains in several packs.

    Args:
        settings: study.json; one that names no engine of the rung splits nothing.
        rung: what is trained.

    Raises:
        InputError: it does.
    """
    packs = read_engine(settings, rung, "float32").packs
    if packs > 1:
        raise InputError(
            f"rung {rung.name}: study.json splits its {rung.members} models into {packs} packs, "
            "several processes train one pack; train it with --launcher local, or begin a new "
            "study with --launcher torchrun"
        )


def _check_shards(ladder: Ladder, rung: Rung, optimizer: str) -> None:
    remedy = "train it without --shard"
    if not isinstance(rung.architecture, Architecture | Transformer):
        family = type(rung.architecture).__name__.lower()
        raise InputError(f"rung {rung.name}: of {family} no shards, only of transformers; {remedy}")
    if optimizer != "adamw":
        raise InputError(
            f"rung {rung.name}: {optimizer} needs whole matrices, only adamw shards; {remedy}"
        )
    if ladder.evaluation.noise_tokens:
        raise InputError(
            f"rung {rung.name}: gradient noise (noise_tokens) is not measured on shards; {remedy}"
        )


def own_windows(count: int, rank: int, size: int) -> tuple[list[int], int]:
    """Return the windows a rank looks at and how many of them, the first ones, count.

    All ranks look at equally many, since a sharded model is gathered by all at each pass; where
    they do not divide, the last window is looked at again, for nothing.

    >>> own_windows(5, 0, 2), own_windows(5, 1, 2)
    (([0, 1, 2], 3), ([3, 4, 4], 2))
    """
    share = -(-count // size)
    first = rank * share
    places = [min(place, count - 1) for place in range(first, first + share)]
    return places, max(0, min(share, count - first))
