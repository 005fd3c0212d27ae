"""The columns of a run table: their names, kinds and the aliases people write them under."""

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches

from isoflop.base.errors import MOST_NAMES, InputError, UnknownNameError

NUMBER_COLUMNS: Mapping[str, str] = {
    "n_params": "parameters, in the count the fit is to be stated in",
    "n_params_non_embedding": "parameters without embeddings and head",
    "n_params_with_head": "non-embedding parameters plus the output head",
    "n_tokens": "tokens seen in training",
    "n_tokens_unique": "distinct tokens among them",
    "flops": "training FLOPs",
    "loss": "held-out loss, in loss_unit",
    "batch_tokens": "tokens a step",
    "steps": "optimiser steps",
    "lr": "peak learning rate",
    "seed": "random seed",
    "schedule_tokens": "tokens the learning-rate schedule was planned for",
    "warmup_tokens": "tokens over which the learning rate rose to its peak",
    "warmup_steps": "optimiser steps over which it did",
    "averaged_tokens": "tokens whose losses were averaged into loss, 0 for a held-out one",
    "n_layer": "layers",
    "d_model": "width of the residual stream",
    "n_ctx": "context in training, tokens",
    "position": "tokens of context that a prediction sees",
    "accuracy": "share of a downstream task solved, 0 to 1",
    "n_examples": "items of the task that accuracy or error was counted on",
    "error": "share of a downstream task failed, 0 to 1",
    "error_upstream": "share of the pretraining task failed, 0 to 1",
    "infogain": "share of the loss that a condition, such as an image, removes",
    "n_finetune": "data of the target distribution, in characters or tokens throughout",
    "n_params_vocabulary": "parameters of the vocabulary, V·d, counted once",
    "n_vocab": "tokens in the tokenizer's vocabulary",
    "n_experts": "experts a routed layer, 1 in a dense model",
    "granularity": "how many times narrower an expert is than a dense layer",
    "bits_weights": "bits a weight in training",
    "bits_activations": "bits an activation in training",
    "bits_kv": "bits a cached key or value in training",
    "bits_post": "bits a weight after training",
    "loss_unigram": "loss minus that of a unigram model of the same vocabulary, nats/token",
    "loss_added": "loss that rounding the finished weights adds, nats/token",
    "curve": "number of the learning-rate schedule, from 1",
    "n_transferred": "such data that pretraining is worth, in the unit of n_finetune",
}
"""Columns that hold numbers, with their units."""

TEXT_COLUMNS: Mapping[str, str] = {
    "run": "name of the run, unique in the table",
    "loss_unit": "nats/token, bits/token, nats/byte or bits/byte",
    "family": "recipe or architecture family",
    "dataset": "training corpus",
    "tokenizer": "tokenizer of training and evaluation",
    "eval_set": "held-out set the loss was measured on",
    "schedule": "learning-rate schedule",
    "status": "finished, running, interrupted, diverged, …",
}
"""Columns that hold text."""

COLUMNS = (*NUMBER_COLUMNS, *TEXT_COLUMNS)
"""Every column the run table knows."""

MAY_BE_ZERO = frozenset(
    {
        *("seed", "lr", "steps", "warmup_tokens", "warmup_steps", "averaged_tokens"),
        *("accuracy", "error", "infogain", "n_transferred", "loss_unigram"),
    }
)
POSITIVE_COLUMNS = frozenset(NUMBER_COLUMNS) - MAY_BE_ZERO

ALIASES: Mapping[str, tuple[str, ...]] = {
    "n_params": (
        "n",
        "params",
        "parameters",
        "num_params",
        "n_parameters",
        "model_size",
        "model_params",
        "size_params",
    ),
    "n_params_non_embedding": ("n_non_embedding", "non_embedding_params", "params_non_embedding"),
    "n_tokens": ("d", "tokens", "num_tokens", "train_tokens", "training_tokens", "tokens_seen"),
    "n_tokens_unique": ("unique_tokens", "u"),
    "flops": (
        "c",
        "flop",
        "compute",
        "training_flop",
        "training_flops",
        "train_flops",
        "total_flops",
    ),
    "loss": (
        "l",
        "eval_loss",
        "val_loss",
        "valid_loss",
        "validation_loss",
        "test_loss",
        "final_loss",
    ),
    "batch_tokens": ("batch_size_tokens", "tokens_per_batch"),
    "n_vocab": ("vocab_size", "vocabulary_size"),
    "lr": ("learning_rate", "peak_lr", "max_lr"),
    "run": ("run_id", "run_name", "id", "name", "experiment"),
    "status": ("state",),
    "dataset": ("corpus", "data"),
}
"""Other spellings, lower case with underscores, recognised when reading."""


def map_columns(found: Iterable[str], overrides: Mapping[str, str] | None = None) -> dict[str, str]:
    """Decide which column of a file is which column of the run table.

    Args:
        found: column names as they stand in the file.
        overrides: {canonical or new name: name in the file}; wins over every guess.

    Returns:
        {name in the run table: name in the file}, in the file's order; unknown columns keep
        their own name.

    Raises:
        InputError: two columns would both become the same one, and no override decides; an
            override that cannot be meant.
        UnknownNameError: an override names a column the file does not have.

    >>> map_columns(["C", "Model Size", "loss"])
    {'flops': 'C', 'n_params': 'Model Size', 'loss': 'loss'}
    """
    names = list(found)
    chosen = dict(overrides or {})
    check_overrides(chosen, names, _known_by)
    taken = set(chosen.values())
    mapping: dict[str, str] = {}
    for name in names:
        canonical = _canonical(name)
        if canonical in chosen:
            if name in taken:
                continue
            canonical = name if _canonical(name) != name else f"{name}_as_read"
        elif name in taken:
            continue
        if canonical in mapping:
            raise InputError(
                f"columns {mapping[canonical]!r} and {name!r} both read as `{canonical}`; "
                f"say which with --columns {canonical}=NAME"
            )
        mapping[canonical] = name
    return {**mapping, **chosen}


def check_overrides(
    chosen: Mapping[str, str], names: Collection[str], meant: Callable[[str], str]
) -> None:
    """Refuse overrides that cannot be meant.

    Args:
        chosen: {canonical or new name: name in the file}.
        names: columns of the file.
        meant: the canonical name that a column of the file reads as by itself, "" if as none.

    Raises:
        UnknownNameError: a column the file does not have.
        InputError: one column named as two, or a known one under a name nobody knows.
    """
    named: dict[str, str] = {}
    for canonical, column in chosen.items():
        if column not in names:
            raise UnknownNameError("column", column, names)
        if column in named:
            raise InputError(
                f"--columns names {column!r} as `{named[column]}` and as `{canonical}`; it is one"
            )
        named[column] = canonical
        if canonical not in COLUMNS and meant(column):
            known = ", ".join(COLUMNS[:MOST_NAMES])
            raise InputError(
                f"`{canonical}` is no column of the run table, and {column!r} reads as "
                f"`{meant(column)}`; known: {known}, …"
            )


def parse_overrides(text: str) -> dict[str, str]:
    """Read `n_params=N,loss=val loss` into a mapping.

    Columns of your own need only be valid names, so that a law or a formula can use them.

    >>> parse_overrides("n_params=N,n_tokens=D")
    {'n_params': 'N', 'n_tokens': 'D'}
    """
    overrides: dict[str, str] = {}
    for pair in filter(None, text.split(",")):
        canonical, equals, column = pair.partition("=")
        if not equals or not column.strip():
            raise InputError(f"--columns wants name=column, found {pair!r}")
        canonical = canonical.strip()
        is_name = canonical.isascii() and canonical.isidentifier()
        near = get_close_matches(canonical, COLUMNS, n=1, cutoff=0.85)
        if canonical not in COLUMNS and (near or not is_name):
            raise UnknownNameError("run-table column", canonical, COLUMNS)
        if canonical in overrides:
            raise InputError(f"--columns names `{canonical}` twice; say it once")
        overrides[canonical] = column.strip()
    return overrides


def _known_by(name: str) -> str:
    canonical = _canonical(name)
    return canonical if canonical in COLUMNS else ""


def _canonical(name: str) -> str:
    key = name.strip().lower().replace(" ", "_").replace("-", "_")
    if key in NUMBER_COLUMNS or key in TEXT_COLUMNS:
        return key
    for canonical, aliases in ALIASES.items():
        if key in aliases:
            return canonical
    return name
