"""How much memory a worker will take at its peak, before anything is trained.

Legend: P parameters, K models of a rung, T tokens of a step of one pack, d width, V vocabulary.

    bytes = import of torch + 76·P·K + 4·T·(3·V + n_layer·(12·d + 4.5·n_head·n_ctx))

Fitted to the peak resident memory of eight workers on a CPU in float32: widths 16 to 512, 1 to 8
layers, contexts 64 and 512, 256 and 8192 tokens a step, 256 and 4096 tokens of vocabulary. It was
off by −11 to +5 % there. An LSTM or a convolution is counted as a layer without attention.
"""

import math
from pathlib import Path

from isoflop.accounting.families import Model
from isoflop.accounting.params import count_params
from isoflop.accounting.transformer import Transformer
from isoflop.lab.engine import PACK_TOKENS
from isoflop.runs.ladder import Ladder, Rung
from isoflop.runs.settle import settle_recipe

IMPORT_BYTES = 377e6
"""A worker that has trained a model of 11 000 parameters."""
PARAM_BYTES = 76
"""Weights, gradient and moments take 20; the copy a cooldown returns to and a checkpoint on its
way to the disk take the rest."""
_VOCAB_FLOATS, _WIDTH_FLOATS, _SCORE_FLOATS = 3.0, 12.0, 4.5


def rung_memory(rung: Rung, ladder: Ladder, device: str = "cpu") -> float:
    """Return the bytes of a worker that trains a rung.

    Args:
        rung: what is trained.
        ladder: its recipe.
        device: on a GPU all models of a rung are one pack, and torch itself is elsewhere.
    """
    batch, model = settle_recipe(ladder.recipe, rung).batch_tokens, rung.architecture
    tokens = rung.members * batch
    packs = 1 if device == "cuda" else min(rung.members, math.ceil(tokens / PACK_TOKENS))
    per_pack = math.ceil(rung.members / packs) * batch
    state = PARAM_BYTES * rung.members * count_params(model).total
    floats = _VOCAB_FLOATS * model.n_vocab + _layers(model)
    return (0.0 if device == "cuda" else IMPORT_BYTES) + state + 4 * per_pack * floats


def ladder_memory(ladder: Ladder, workers: int, device: str = "cpu") -> float:
    """Return the bytes of the largest rungs side by side, one a worker."""
    each = sorted((rung_memory(rung, ladder, device) for rung in ladder.rungs), reverse=True)
    return sum(each[:workers])


def available_memory() -> float | None:
    """Return the bytes this process and its workers may still take; None where nobody says."""
    found = [_meminfo(Path("/proc/meminfo")), _cgroup(Path("/sys/fs/cgroup"))]
    known = [value for value in found if value is not None]
    return min(known) if known else None


def _layers(model: Model) -> float:
    shape = model.shape if isinstance(model, Transformer) else model
    passes = model.passes if isinstance(model, Transformer) else 1
    scores = getattr(shape, "n_head", 0) * model.n_ctx
    width = max(model.d_model, getattr(model, "d_hidden", 0))
    return passes * model.n_layer * (_WIDTH_FLOATS * width + _SCORE_FLOATS * scores)


def _meminfo(path: Path) -> float | None:
    try:
        rows = dict(line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines())
        return 1024.0 * int(rows["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return None


def _cgroup(folder: Path) -> float | None:
    try:
        limit = (folder / "memory.max").read_text(encoding="utf-8").strip()
        return float(limit) - float((folder / "memory.current").read_text(encoding="utf-8"))
    except (OSError, ValueError):  # `max`, or no control group
        return None
