"""Studies of many finished runs, written as docs/formats.md says, without training."""

import json
from pathlib import Path

from isoflop.accounting.architecture import Architecture
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladders.toml import print_ladder
from isoflop.store.manifest import describe_runs

SEEDS, BUDGETS = 10, tuple(8192 * 2**k for k in range(10))


def big_ladder(n_runs: int) -> Ladder:
    """A ladder of `n_runs` runs, a hundred a rung."""
    n_rungs, rest = divmod(n_runs, SEEDS * len(BUDGETS))
    assert rest == 0, "n_runs is a multiple of 100"
    shape = {"n_layer": 2, "n_head": 1, "n_ctx": 64, "n_vocab": 256, "tied": False}
    rungs = tuple(
        Rung(f"r{i}", Architecture(d_model=8 + 8 * i, **shape), SEEDS, BUDGETS)  # type: ignore[arg-type]
        for i in range(n_rungs)
    )
    return Ladder("big", "sotu", "bytes", rungs, Recipe(), Evaluation())


def write_big_study(folder: Path, n_runs: int, *, every: int = 1) -> Path:
    """Write a study with every `every`-th run finished, every 100th of those diverged."""
    ladder = big_ladder(n_runs)
    (folder / "runs").mkdir(parents=True)
    (folder / "ladder.toml").write_text(print_ladder(ladder))
    for number, row in enumerate(describe_runs(ladder)):
        if number % every == 0:
            write_run(folder, row, loss=2 + 1e4 / row["n_params"], diverged=number % 100 == 99)
    return folder


def write_run(folder: Path, row: dict, *, loss: float, diverged: bool = False) -> None:
    """Write run.json of a run, as large as a real one."""
    document = {
        "format": 1,
        **row,
        **{f"loss_at_{2**k}": loss + 1 / 2**k for k in range(7)},
        "loss": None if diverged else loss,
        "loss_unit": "nats/byte",
        "eval_set": "0" * 16,
        "status": "diverged" if diverged else "finished",
        "diverged_step": 7 if diverged else None,
        "journal_sha256": "0" * 64,
        "weights_sha256": "0" * 64,
    }
    run = folder / "runs" / row["run"]
    run.mkdir(exist_ok=True)
    (run / "run.json").write_text(json.dumps(document, indent=1) + "\n")
