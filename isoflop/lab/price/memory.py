"""How much memory a ladder will take, before it starts: weights, moments, copies, activations.

A worker holds the models of one rung and the activations of one pack. The formula counts what the
training loop keeps; against measured peaks see tests/lab/test_memory.py.
"""

from pathlib import Path

import torch

from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.families import Model
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.params import count_params
from isoflop.accounting.transformer import Transformer
from isoflop.base.errors import SpecError
from isoflop.lab.engines.engine import Engine, split_members, usual_engine
from isoflop.lab.engines.placement import check_device
from isoflop.lab.engines.probe import likely_precision
from isoflop.lab.measures.evaluate import TOKENS_AT_ONCE
from isoflop.runs.ladders.ladder import Ladder, Recipe, Rung
from isoflop.runs.settle import settle_recipe

PROCESS_BYTES = 350e6
"""Python, torch and NumPy of one worker."""
_WEIGHT_BYTES = 28
"""Of one parameter: weights, two moments, scratch, rate multipliers and the gradient's cast, all in
float32; gradient and weights of the products."""
_TRUNK_BYTES = 12
"""Of one parameter: weights and moments of the trunk, kept during a cooldown."""
_SAVING_BYTES = 44
"""Of one parameter: those being saved, and the file in memory, twice while its hash is put in."""
_LAYER_SHARE = 0.75
"""Of the numbers that a layer makes: what is alive at the peak, by the peaks measured."""
_GIB = 1024.0**3


def rung_bytes(rung: Rung, recipe: Recipe, engine: Engine) -> float:
    """Return about the peak memory of a worker that trains a rung.

    Args:
        rung: its models.
        recipe: their batch.
        engine: how many of them at once, in which type.
    """
    model, wide = rung.architecture, 2 if engine.precision == "bfloat16" else 4
    params = rung.members * count_params(model).total
    largest = max(part.stop - part.start for part in split_members(rung.members, engine.packs))
    tokens = largest * settle_recipe(recipe, rung).batch_tokens
    kept = _LAYER_SHARE * wide * _layer_numbers(model) * _layers(model)
    training = tokens * (kept + model.n_vocab * (1.5 * wide + 4))
    reading = max(TOKENS_AT_ONCE, largest * model.n_ctx) * (
        model.n_vocab * (wide + 4) + 4 * wide * _scores(model)
    )
    resident = params * (_WEIGHT_BYTES + _TRUNK_BYTES)
    return PROCESS_BYTES + resident + max(training, reading, params * _SAVING_BYTES)


def check_memory(ladder: Ladder, *, device: str, workers: int) -> None:
    """Refuse a ladder whose largest rungs do not fit side by side on this machine.

    Args:
        ladder: what would be trained.
        device: `cpu` or `cuda`.
        workers: processes.

    Raises:
        InputError: the device is absent.
        SpecError: names the largest rung, what it takes and what there is.
    """
    check_device(device)
    precision = likely_precision(device, ladder.recipe.precision)
    recipe = ladder.recipe
    needs = sorted(
        (
            (rung_bytes(rung, recipe, usual_engine(rung, recipe, device, precision)), rung.name)
            for rung in ladder.rungs
        ),
        reverse=True,
    )
    taken = sum(need for need, _ in needs[:workers])
    free = available_bytes(device)
    if taken <= free:
        return
    most, name = needs[0]
    beside = f", {taken / _GIB:.1f} GiB with what trains beside it" if taken > most else ""
    remedy = "fewer workers, " if most <= free else ""
    raise SpecError(
        f"rungs: {name} takes about {most / _GIB:.1f} GiB{beside}, {free / _GIB:.1f} GiB are "
        f"free; use {remedy}fewer seeds or rates a rung, a smaller batch or smaller models"
    )


def available_bytes(device: str) -> float:
    """Return the memory that is free: the GPU's, or the machine's within its container's limit."""
    if device == "cuda":
        return float(torch.cuda.mem_get_info()[0])
    return min(_machine_bytes(Path("/proc/meminfo")), _container_bytes(Path("/sys/fs/cgroup")))


def _machine_bytes(path: Path) -> float:
    """Return `MemAvailable` (kB); unbounded where it is not told."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return next(1024.0 * int(x.split()[1]) for x in lines if x.startswith("MemAvailable"))
    except (OSError, ValueError, StopIteration, IndexError):
        return float("inf")


def _container_bytes(folder: Path) -> float:
    """Return the limit of a cgroup less what cannot be reclaimed; unbounded without a limit."""
    try:
        limit = int((folder / "memory.max").read_text(encoding="utf-8"))
        stated = dict(
            line.split() for line in (folder / "memory.stat").read_text("utf-8").splitlines()
        )
        return float(limit - int(stated["anon"]))
    except (OSError, ValueError, KeyError):
        return float("inf")


def _layers(model: Model) -> int:
    return model.n_layer * (model.passes if isinstance(model, Transformer) else 1)


def _scores(model: Model) -> int:
    """Attention weights of one token in one layer."""
    if isinstance(model, Lstm | Convolutional):
        return 0
    shape = model.shape if isinstance(model, Transformer) else model
    return shape.n_head * shape.n_ctx


def _layer_numbers(model: Model) -> float:
    """Numbers that one layer makes, per token, forwards and backwards."""
    if isinstance(model, Lstm):
        return 12 * max(model.d_hidden, model.d_model)
    if isinstance(model, Convolutional):
        return (model.kernel + 8) * model.d_model
    a = model.shape if isinstance(model, Transformer) else model
    up = 2 * a.d_ff if isinstance(model, Transformer) and model.gated else a.d_ff
    return 6 * a.d_model + 8 * a.d_attn + 2 * _scores(model) + 2 * up + a.d_ff
