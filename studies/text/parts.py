"""The parts of the study, in the order they run; a further part is one line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from studies.text.ladders import (
    Training,
    batch_ladders,
    finetune_ladders,
    grid_ladders,
    lstm_ladders,
    porian_ladders,
    shape_ladders,
    transfer_ladders,
    unique_ladders,
)
from studies.text.measure_batch import measure_batch
from studies.text.measure_contradiction import measure_contradiction
from studies.text.measure_grid import measure_context, measure_laws, measure_optimum
from studies.text.measure_models import measure_lstm, measure_shapes
from studies.text.measure_porian import measure_porian
from studies.text.measure_transfer import measure_finetune, measure_transfer
from studies.text.results import Result
from studies.text.sizes import Size

Ladders = Callable[[Size, Path], tuple[Training, ...]]


def _none(size: Size, out: Path) -> tuple[Training, ...]:
    del size, out
    return ()


@dataclass(frozen=True)
class Part:
    """One question, the ladders that answer it, and the measurement.

    Args:
        name: for `--only`.
        title: of its section.
        ladders: what is trained for it.
        measure: from study folders, those of `reads` first, then its own.
        reads: parts whose studies it needs too.
    """

    name: str
    title: str
    ladders: Ladders
    measure: Callable[[Sequence[Path]], Result]
    reads: tuple[str, ...] = ()


PARTS = (
    Part("grid", "L(N), L(D), L(C) and L(N, D)", grid_ladders, measure_laws),
    Part("optimum", "N_opt(C), embedding in and out", _none, measure_optimum, ("grid",)),
    Part("batch", "B_crit(L) and L(N, S)", batch_ladders, measure_batch, ("grid",)),
    Part("context", "L(T)", _none, measure_context, ("grid",)),
    Part("shape", "Shape sweep", shape_ladders, measure_shapes),
    Part("transfer", "A second corpus", transfer_ladders, measure_transfer, ("grid",)),
    Part(
        "finetune",
        "Pretraining counted in data",
        finetune_ladders,
        measure_finetune,
        ("transfer",),
    ),
    Part("lstm", "LSTM against transformer", lstm_ladders, measure_lstm, ("grid",)),
    Part(
        "contradiction",
        "The contradiction at toy scale",
        unique_ladders,
        measure_contradiction,
        ("grid",),
    ),
    Part("porian", "From Kaplan's exponent to the corrected one", porian_ladders, measure_porian),
)


def find_parts(only: Sequence[str]) -> tuple[Part, ...]:
    """Return the parts asked for with those they read, in order; all of them if none is named."""
    wanted = set(only) or {part.name for part in PARTS}
    for part in PARTS:
        if part.name in wanted:
            wanted |= set(part.reads)
    return tuple(part for part in PARTS if part.name in wanted)
