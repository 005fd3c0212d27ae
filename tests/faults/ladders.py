"""A small ladder that trains in seconds, and what of a study must not depend on its history."""

import hashlib
from pathlib import Path

from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung

BUDGETS = (8192, 16384, 32768)
_WIDTHS = (4, 6, 8, 10, 12, 14)


def small_ladder(
    n_runs: int, *, seeds: int = 2, budgets: tuple[int, ...] = BUDGETS, name: str = "faults"
) -> Ladder:
    """A ladder of `n_runs` runs on the embedded speeches, bytes, one-layer models.

    Every rung has `seeds` × `budgets` runs, so that 24 runs are four rungs of six; longer budgets
    make longer runs (about 1 ms a step of 128 tokens).
    """
    n_rungs, rest = divmod(n_runs, seeds * len(budgets))
    assert rest == 0, "n_runs is a multiple of seeds x budgets"
    shape = {"n_layer": 1, "n_head": 1, "n_ctx": 16, "n_vocab": 256, "tied": False}
    rungs = tuple(
        Rung(
            f"r{index}-d{width}",
            Architecture(d_model=width, positions="rotary", **shape),  # type: ignore[arg-type]
            seeds,
            budgets,
        )
        for index, width in ((i, _WIDTHS[i % len(_WIDTHS)]) for i in range(n_rungs))
    )
    recipe = Recipe(batch_tokens=128, lr=0.01, precision="float32")
    return Ladder(name, "sotu", "bytes", rungs, recipe, Evaluation(tokens=1024, curve_tokens=256))


def lasting_bytes(study: Path) -> dict[str, str]:
    """SHA-256 of every file whose bytes the ladder alone decides: journals, manifests, weights."""
    names = [*study.rglob("journal.jsonl"), *study.rglob("run.json"), *study.rglob("*.safetensors")]
    return {
        str(name.relative_to(study)): hashlib.sha256(name.read_bytes()).hexdigest()
        for name in sorted(names)
    }
