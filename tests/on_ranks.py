"""Small studies of one rung, trained by one process or by a group, and what of them must agree."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from isoflop.accounting.architecture import Architecture
from isoflop.lab.data.prepare import open_data, prepare_data
from isoflop.lab.engines.placement import Placement
from isoflop.lab.loop import Trainer
from isoflop.lab.train_rung import train_rung
from isoflop.lab.weights.pair import load_last
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.store.journal import read_journal
from isoflop.store.study import Study

_PATH = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
_RANKS = Path(__file__).parent / "lab" / "distributed" / "ranks.py"
# 25 rows of `down` do not divide among two ranks, nor do the 17 windows of the curve.
SHAPE = Architecture(
    n_layer=2, d_model=12, n_head=2, d_ff=25, n_ctx=16, n_vocab=256, positions="rotary"
)
RECIPE = Recipe(batch_tokens=64, lr=0.01, weight_decay=0.1, precision="float32")
EVALUATION = Evaluation(tokens=1024, curve_tokens=272, curve_points_per_doubling=2)


def make_ladder(
    model: Any = SHAPE,
    recipe: Recipe = RECIPE,
    evaluation: Evaluation = EVALUATION,
    *,
    seeds: int = 1,
    budgets: tuple[int, ...] = (1536, 3072),
    **rung: Any,
) -> Ladder:
    one = Rung("big", model, seeds, budgets, **rung)
    return Ladder("tiny", "sotu", "bytes", (one,), recipe, evaluation)


def prepare(path: Path, ladder: Ladder) -> Study:
    study = Study.create(path, ladder)
    prepare_data(ladder, path / "data")
    precision = ladder.recipe.precision
    study.write_settings({"device": "cpu", "precision": precision, "torch": torch.__version__})
    return study


class StoppedError(Exception):
    """The process that trains has given up, as if it were killed."""


def stop_at_a_run(event: Mapping[str, Any]) -> None:
    if event["event"] == "run":
        raise StoppedError


def nudged_trainer(rung: Any, recipe: Any, streams: Any, seeds: Any) -> Trainer:
    """One process, one weight of whose start is the next float32."""
    cpu, float32 = torch.device("cpu"), torch.float32
    trainer = Trainer(rung, recipe, streams, seeds=seeds, device=cpu, dtype=float32)
    state = trainer.optimizer.state()
    state["master"][0] = torch.nextafter(state["master"][0], torch.tensor(torch.inf))
    trainer.optimizer.restore(state)
    return trainer


def train_alone(study: Study, *, stop: bool = False, nudged: bool = False) -> Study:
    data = open_data(study.ladder, study.path / "data")
    placement = Placement("cpu", study.settings()["precision"])
    emit = stop_at_a_run if stop else lambda event: None
    # Training elsewhere in this process may have asked for quicker products; the ranks have not.
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    with suppress(StoppedError):
        rung, build = study.ladder.rungs[0], nudged_trainer if nudged else None
        train_rung(study, rung, data, placement, emit, build)
    torch.set_float32_matmul_precision(before)
    return study


def job(study: Study, *, shard: bool = False, stop: bool = False) -> dict[str, Any]:
    return {"study": str(study.path), "shard": shard, "stop": stop}


def train_on_ranks(folder: Path, jobs: Sequence[dict[str, Any]], size: int = 2) -> None:
    """Do jobs one after the other on some gloo processes, and wait for them."""
    (folder / "jobs.json").write_text(json.dumps(jobs))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    shared = {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": _PATH,
        "WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    ranks = [_start(folder, shared | {"RANK": str(rank)}) for rank in range(size)]
    ends = [rank.wait() for rank in ranks]
    logs = "\n".join((folder / f"rank{rank}.log").read_text() for rank in range(size))
    assert ends == [0] * size, logs


def _start(folder: Path, environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, str(_RANKS), str(folder / "jobs.json")]
    with (folder / f"rank{environment['RANK']}.log").open("w") as log:
        return subprocess.Popen(command, env={**os.environ, **environment}, stderr=log)


def losses_of(study: Study) -> dict[str, np.ndarray]:
    """Return run → every number of its learning curve: steps, losses, noise, by position."""
    found = {}
    for run in study.manifests():
        points = read_journal(study.run_folder(run) / "journal.jsonl").records
        found[run] = np.array([x for point in points for x in _numbers(point)])
    return found


def _numbers(record: Any) -> list[float]:
    if isinstance(record, dict):
        return [x for key in sorted(record) for x in _numbers(record[key])]
    if isinstance(record, list):
        return [x for each in record for x in _numbers(each)]
    return [float(record)] if isinstance(record, int | float) else []


def state_of(study: Study) -> dict[str, torch.Tensor]:
    """Return weights and moments of the last checkpoint of every trunk."""
    found = {}
    for folder in {path.parent for path in study.rung_folder("big").rglob("checkpoint-*")}:
        checkpoint = load_last(folder).checkpoint
        assert checkpoint is not None
        found |= {f"{folder.name}/{name}": each for name, each in checkpoint.tensors.items()}
    assert found
    return found
