"""One trunk in training: its checkpoints, its journal, and the runs that branch off it."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.lab.data.position_proof import prove_position
from isoflop.lab.data.prepare import StudyData
from isoflop.lab.data.stream import TokenStream, held_out_windows
from isoflop.lab.engines.placement import Placement
from isoflop.lab.limits.metered import Metered
from isoflop.lab.loop import AnyTrainer, Segment
from isoflop.lab.measures.measure import Measures
from isoflop.lab.schedule import Branch, Schedule
from isoflop.lab.weights.checkpoint import Checkpoint
from isoflop.lab.weights.final import weights_sha256
from isoflop.lab.weights.initial import begin_with, keep_weights, start_columns
from isoflop.lab.weights.pair import load_last, save_next
from isoflop.runs.ladders.ladder import Ladder, PlannedRun, Recipe, Rung, runs_of
from isoflop.runs.settle import settle_recipe
from isoflop.store.journal import Journal, read_journal, rewrite_journal
from isoflop.store.leases.lease import Lease
from isoflop.store.manifest import commit_run, describe_run, read_manifest
from isoflop.store.study import Study

Emit = Callable[[Mapping[str, Any]], None]

MakeTrainer = Callable[[Rung, Recipe, Sequence[TokenStream], list[tuple[int, int]]], AnyTrainer]
"""Builds what trains a rung, of (rung, recipe, streams, seeds)."""


def member_seeds(ladder: Ladder, rung: Rung) -> list[tuple[int, int]]:
    """Return (root, index) of each model of a rung."""
    return [(ladder.seed, member % rung.seeds) for member in range(rung.members)]


def member_streams(ladder: Ladder, rung: Rung, data: StudyData) -> list[TokenStream]:
    """Return the training stream of each model of a rung."""
    context = rung.architecture.n_ctx
    return [TokenStream(data.train, context, (*seed, 0)) for seed in member_seeds(ladder, rung)]


class TrunkTraining:
    """The state of one trunk in training, every seed and rate of it; see `train_rung`.

    Args:
        study: where to write.
        rung: what to train.
        data: its tokens.
        placement: device and precision.
        emit: told of progress and of runs that are over.
        schedule: the trunk and its branches.
        make_trainer: builds what trains.
        lease: of the rung; everything is written under it.
    """

    def __init__(
        self,
        study: Study,
        rung: Rung,
        data: StudyData,
        placement: Placement,
        emit: Emit,
        schedule: Schedule,
        make_trainer: MakeTrainer,
        lease: Lease,
    ) -> None:
        ladder = study.ladder
        self._lease = lease
        self._study, self._rung, self._data, self._emit = study, rung, data, emit
        self._recipe = settle_recipe(ladder.recipe, rung)
        self._folder = study.rung_folder(rung.name) / schedule.name
        self._schedule = schedule
        context = rung.architecture.n_ctx
        seeds = member_seeds(ladder, rung)
        self._streams = member_streams(ladder, rung, data)
        trainer = make_trainer(rung, self._recipe, self._streams, seeds)
        begin_with(trainer.optimizer, rung, study.settings())
        self._trainer = Metered(trainer, study, rung, schedule)
        self._measures = Measures(
            ladder, study.path / "data", data, rung, seeds, placement.torch_device
        )
        windows = held_out_windows(data.held_out, context, ladder.evaluation.tokens)
        self._windows = torch.from_numpy(windows.astype(np.int64)).to(placement.torch_device)
        self._curve_rows = max(1, ladder.evaluation.curve_tokens // context)
        # Normalised models seldom reach infinity: what cannot beat a guess has diverged too.
        self._uniform_loss = math.log(rung.architecture.n_vocab)
        self._diverged: dict[int, int] = {}

    def train(self) -> None:
        """Train from the last good checkpoint to the end, and every branch that is missing."""
        branches = {branch.start: branch for branch in self._schedule.branches}
        with self._lease.guard():
            step = self._resume()
            journal = Journal(self._folder / "journal.jsonl")
        with journal:
            for point in self._schedule.points:
                if point > step:
                    segment = self._advance(step, point, self._schedule.trunk_lr)
                    step = point
                    row = self._point("trunk", step, segment)
                    with self._lease.guard():
                        journal.append(row)
                        self._save(step)
                if point == step and point in branches:
                    self._finish(branches[point])

    def _resume(self) -> int:
        """Return the step of the last good checkpoint, trunk journal cut back to it."""
        path = self._folder / "journal.jsonl"
        records = read_journal(path).records
        resumed = load_last(self._folder, lambda found: self._objection(found, records))
        for notice in resumed.notices:
            self._emit({"event": "notice", "rung": self._rung.name, "message": notice})
        step = 0
        if resumed.checkpoint is not None:
            self._trainer.optimizer.restore(resumed.checkpoint.tensors)
            step, self._diverged = resumed.checkpoint.step, resumed.checkpoint.diverged
        rewrite_journal(path, [record for record in records if record["step"] <= step])
        behind = [branch for branch in self._schedule.branches if branch.start < step]
        self._tell_steps(step + sum(branch.end - branch.start for branch in behind))
        return step

    def _objection(self, found: Checkpoint, records: Sequence[Mapping[str, Any]]) -> str | None:
        """Say why this trunk cannot go on from an intact checkpoint, None if it can."""
        if found.position and found.position != self._position(found.step):
            return "of other data: the tokens that come next are not those it was written before"
        behind = [point for point in self._schedule.points if point <= found.step]
        if [record["step"] for record in records if record["step"] <= found.step] != behind:
            return "ahead of the trunk's journal, whose rows before it are not all there"
        for branch in self._schedule.branches:
            if branch.start < found.step and self._missing(branch):
                return f"past step {branch.start}, where a run that is missing leaves the trunk"
        return None

    def _missing(self, branch: Branch) -> list[PlannedRun]:
        """Return the runs of a branch that are not over."""
        n_tokens = branch.end * self._recipe.batch_tokens
        runs = [run for run in runs_of(self._rung, self._recipe) if run.n_tokens == n_tokens]
        # A kill between two seeds leaves one of them finished.
        return [run for run in runs if read_manifest(self._study.run_folder(run.id)) is None]

    def _position(self, step: int) -> Mapping[str, Any]:
        rows = self._recipe.batch_tokens // self._rung.architecture.n_ctx
        return prove_position(self._streams, step * rows)

    def _save(self, step: int) -> None:
        state = self._trainer.optimizer.state()
        save_next(self._folder, Checkpoint(step, self._diverged, state, self._position(step)))

    def _finish(self, branch: Branch) -> None:
        """Commit the runs of one budget, cooled down first if the schedule says so."""
        runs = self._missing(branch)
        if not runs:
            self._tell_steps(branch.end - branch.start)
            return
        journal = read_journal(self._folder / "journal.jsonl").records
        curve = [record for record in journal if record["step"] <= branch.start]
        if branch.start == branch.end:
            self._commit_all(runs, curve)
            return
        trunk, diverged = self._trainer.optimizer.state(), dict(self._diverged)
        segment = self._advance(
            branch.start, branch.end, lambda step: self._schedule.branch_lr(branch, step)
        )
        self._commit_all(runs, curve, segment)
        self._trainer.optimizer.restore(trunk)
        self._diverged = diverged

    def _commit_all(
        self,
        runs: Sequence[PlannedRun],
        curve: Sequence[Mapping[str, Any]],
        cooldown: Segment | None = None,
    ) -> None:
        """Measure the losses of one budget and write its runs."""
        rows, positions = self._measures.final(self._trainer)
        if cooldown is not None:
            curve = [*curve, self._point("cooldown", runs[0].steps, cooldown)]
        master = self._trainer.optimizer.state()["master"]
        for run in runs:
            last = {**curve[-1], "loss_by_position": positions}
            digest = weights_sha256(master, self._rung.architecture, run.member)
            if self._study.ladder.evaluation.keep_weights:
                with self._lease.guard():
                    folder = self._study.run_folder(run.id)
                    keep_weights(folder, master, self._rung, run.member)
            measured = {**rows[run.member], "weights_sha256": digest}
            self._commit(run, measured, [*curve[:-1], last])

    def _commit(
        self, run: PlannedRun, measured: Mapping[str, Any], curve: Sequence[Mapping[str, Any]]
    ) -> None:
        loss = measured["loss"]
        first_bad = self._diverged.get(run.member)
        if first_bad is None and not loss < self._uniform_loss:
            first_bad = run.steps
        row = describe_run(run, self._study.ladder)
        row |= self._streams[run.member].repeats(run.n_tokens)
        row |= start_columns(self._rung, run.n_tokens)
        unit = "nats/byte" if self._study.ladder.tokenizer == "bytes" else "nats/token"
        row |= {**measured, "loss_unit": unit}
        points = [_of_member(record, run.member) for record in curve]
        with self._lease.guard():
            commit_run(self._study.run_folder(run.id), row, points, first_bad)
        self._emit(
            {
                "event": "run",
                "rung": self._rung.name,
                "run": run.id,
                "loss": loss if first_bad is None else None,
                "diverged_step": first_bad,
            }
        )

    def _advance(self, first: int, last: int, lr_at: Callable[[int], float]) -> Segment:
        """Train some steps, telling of progress and keeping time apart from the journal."""
        wall, cpu = time.monotonic(), time.process_time()
        segment = self._trainer.advance(first, last, lr_at, on_steps=self._tell_steps)
        self._diverged = {**segment.diverged, **self._diverged}
        with self._lease.guard(), Journal(self._folder / "timing.jsonl") as timing:
            timing.append(
                {
                    "first": first,
                    "last": last,
                    "seconds": round(time.monotonic() - wall, 3),
                    "cpu_seconds": round(time.process_time() - cpu, 3),
                    **self._trainer.spread,
                }
            )
        return segment

    def _tell_steps(self, steps: int) -> None:
        self._emit({"event": "steps", "rung": self._rung.name, "steps": steps})

    def _point(self, phase: str, step: int, segment: Segment) -> dict[str, Any]:
        held_out = self._trainer.held_out(self._windows[: self._curve_rows])
        noise = self._measures.noise(self._trainer, step) if phase == "trunk" else {}
        return {
            "phase": phase,
            "step": step,
            "tokens": step * self._recipe.batch_tokens,
            "loss": _finite(held_out),
            "train_loss": _finite(segment.train_loss),
            **noise,
        }


def _finite(values: NDArray[np.float64]) -> list[float | None]:
    """JSON has no NaN: a loss that is not a number is null."""
    return [float(value) if np.isfinite(value) else None for value in values]


def _of_member(record: Mapping[str, Any], member: int) -> dict[str, Any]:
    return {
        key: value[member] if isinstance(value, list) else value for key, value in record.items()
    }
