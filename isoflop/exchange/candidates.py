"""Which names of a foreign source could be which column of the run table."""

import re
from collections.abc import Callable, Iterable, Mapping

from isoflop.exchange.header_units import AMOUNTS, loss_unit_of, read_unit
from isoflop.runs.columns import ALIASES, NUMBER_COLUMNS, TEXT_COLUMNS, map_columns

_MORE: Mapping[str, tuple[str, ...]] = {
    "n_params": (
        *("num_parameters", "parameter_count", "param_count", "total_params", "params_total"),
        *("total_parameters", "model_num_parameters", "model_parameters", "n_params_total"),
    ),
    "n_params_non_embedding": (
        *("non_embedding_parameters", "num_non_embedding_params", "params_no_embedding"),
        *("num_non_embedding_parameters", "params_no_embed", "n_params_no_embed"),
    ),
    "n_tokens": (
        *("tokens_trained", "total_tokens", "num_tokens_seen", "num_input_tokens_seen"),
        *("train_num_input_tokens_seen", "train_tokens_seen", "train_tokens", "consumed_tokens"),
        *("throughput_total_tokens", "total_training_tokens", "tokens_processed"),
    ),
    "flops": ("total_training_flops", "cumulative_flops", "flops_total"),
    "batch_tokens": ("tokens_per_step", "batch_size_in_tokens", "global_batch_size_tokens"),
    "steps": ("global_step", "train_global_step", "num_steps", "num_iterations", "train_steps"),
    "lr": ("train_learning_rate", "learning_rate_peak"),
    "seed": ("random_seed", "train_seed"),
    "warmup_tokens": ("num_warmup_tokens", "warm_up_tokens", "lr_warmup_tokens"),
    "warmup_steps": ("num_warmup_steps", "warm_up_steps", "lr_warmup_steps"),
    "n_layer": ("n_layers", "num_layers", "num_hidden_layers"),
    "d_model": ("model_dim", "n_embd", "hidden_size"),
    "n_ctx": ("context_length", "seq_len", "sequence_length", "max_seq_len", "max_seq_length"),
    "n_examples": ("num_examples", "n_samples"),
}
_HELD_OUT = frozenset(
    {"eval", "evaluation", "val", "valid", "validation", "test", "dev", "heldout"}
)
_IS_LOSS = frozenset({"loss", "crossentropyloss", "nll", "bpb", "celoss"})
_PLAIN_LOSS = _IS_LOSS | {"train", "training", "lm", "ce", "cross", "entropy", "step", "epoch"}
_NOT_FROM_TRACKERS = frozenset({"run", "status", "loss", "loss_unit"})


def candidates(canonical: str, names: Iterable[str], *, table: bool) -> list[str]:
    """Return the names that could be this column, nearest reading first and alone.

    Args:
        canonical: column of the run table.
        names: names in the source.
        table: whether the source is a run table, whose `loss` is held-out and whose single
            letters are amounts; a tracker's `loss` is the training loss, its `d` a depth.

    >>> candidates("loss", ["train/loss", "eval/loss"], table=False)
    ['eval/loss']
    >>> candidates("loss", ["eval/c4/loss", "eval/pile/loss"], table=False)
    ['eval/c4/loss', 'eval/pile/loss']
    """
    names = list(names)
    plain = _candidates(canonical, names, table=table)
    if plain or canonical not in AMOUNTS | {"loss"}:
        return plain
    told = {name: _without_unit(name, canonical) for name in names}
    return [n for n in names if told[n] and _candidates(canonical, [told[n]], table=table)]


def _candidates(canonical: str, names: list[str], *, table: bool) -> list[str]:
    """The names as they stand."""
    if table:
        direct = [name for name in names if canonical in map_columns([name])]
        if canonical == "loss" and direct and "loss" not in map(normal, direct):
            return [n for n in names if n in direct or n in _held_out(names)]
        if canonical in direct:
            return direct
        if direct and canonical != "loss":
            return list(dict.fromkeys([*direct, *_spelled(canonical, names)]))
        if direct:
            return direct
    if canonical == "loss":
        return _losses(names)
    if canonical in _NOT_FROM_TRACKERS:
        return []
    whole = _spelled(canonical, names)
    return whole or _spelled(canonical, [name for name in names if "." in name], _tail)


def _spelled(
    canonical: str, names: list[str], part: Callable[[str], str] = lambda name: name
) -> list[str]:
    """The names that are this column's in some tracker, by the whole name or a part of it."""
    spelled = {canonical, *_MORE.get(canonical, ()), *ALIASES.get(canonical, ())}
    long = {name for name in spelled if len(name) > 1}
    if canonical in TEXT_COLUMNS:
        long -= {"data"}
    return [name for name in names if normal(part(name)) in long]


def columns_sought() -> tuple[str, ...]:
    """Return the columns of the run table that are looked for in a source."""
    return (*NUMBER_COLUMNS, *TEXT_COLUMNS)


def is_training_loss(name: str) -> bool:
    """Tell whether a name is that of a training loss.

    >>> is_training_loss("train/loss"), is_training_loss("z_loss")
    (True, False)
    """
    words = set(_words(name))
    return bool(words & _IS_LOSS) and words <= _PLAIN_LOSS


def names_training(name: str) -> bool:
    """Tell whether a name says that it is of training.

    >>> names_training("train/loss"), names_training("loss")
    (True, False)
    """
    return bool({"train", "training"} & set(_words(name)))


def loss_unit(name: str) -> str:
    """Return the unit a loss's name states, "" if it states none.

    >>> loss_unit("val_bpb"), loss_unit("loss (bits/token)")
    ('bits/byte', 'bits/token')
    """
    return loss_unit_of(read_unit(name).unknown) or ("bits/byte" if "bpb" in _words(name) else "")


def normal(name: str) -> str:
    """Return a name in lower case with single underscores.

    >>> normal("eval/Cross-Entropy loss")
    'eval_cross_entropy_loss'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _losses(names: list[str]) -> list[str]:
    named = [name for name in names if normal(name) in {"final_loss", "loss_final"}]
    told = _held_out(names) or named or [name for name in names if is_training_loss(name)]
    return told or [name for name in names if "." in name and is_training_loss(_tail(name))]


def _held_out(names: list[str]) -> list[str]:
    return [n for n in names if set(_words(n)) & _HELD_OUT and set(_words(n)) & _IS_LOSS]


def _without_unit(name: str, canonical: str) -> str:
    """The name without the unit it tells, "" where it tells none that is known."""
    told = read_unit(name)
    if canonical == "loss":
        return told.base if loss_unit_of(told.unknown) else ""
    return told.base if told.multiple != 1 or (told.base != name and not told.unknown) else ""


def _words(name: str) -> list[str]:
    return normal(name).split("_")


def _tail(name: str) -> str:
    return name.rsplit(".", 1)[-1]
