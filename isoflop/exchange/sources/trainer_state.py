"""Hugging Face Trainer: `trainer_state.json`, of one run or of every run below a folder.

Three traps: `num_input_tokens_seen` stays 0 unless it was switched on; `train_loss` in the last
entry is the mean over the whole run, not a final loss; `total_flos` counts
6 · non-embedding parameters · tokens, padding included.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import decode, read_bounded, walk
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.sources.safetensors_size import count_weights

FILE = "trainer_state.json"
TOKENS = "num_input_tokens_seen"
_CHECKPOINT = re.compile(r"^checkpoint-\d+$")
_END = "train_loss"
"""Only the closing entry has it; `train_runtime` is in every entry where tokens are counted."""
_FLOPS_NOTE = (
    "total_flos is Hugging Face's count, 6 · non-embedding parameters · tokens with padding; "
    "it is kept under its own name: --columns flops=total_flos takes it as flops"
)


def read(path: Path) -> Found:
    """Read a state file, or of each run below a folder the state of its last checkpoint."""
    files = [path] if path.is_file() else [p for p in walk(path) if p.name == FILE]
    read_runs: dict[Path, tuple[float, SourceRun, int, list[Refused]]] = {}
    refused: list[Refused] = []
    older = 0
    for file in files:
        try:
            run, count, bad = _read_state(file)
        except InputError as error:
            if len(files) == 1:
                raise
            refused.append(Refused(str(file), str(error)))
            continue
        last = run.last_step or 0.0
        home = _home(file)
        if path.resolve() in home.parents:
            run = replace(run, name=str(home.relative_to(path.resolve())))
        older += home in read_runs
        if home not in read_runs or last > read_runs[home][0]:
            read_runs[home] = (last, run, count, bad)
    kept = list(read_runs.values())
    runs = tuple(run for _, run, _, _ in kept)
    refused += [each for *_, bad in kept for each in bad]
    n_read = sum(count for _, _, count, _ in kept)
    notes = list(_notes(runs))
    if older:
        notes.append(
            f"{older} states of earlier checkpoints passed over; their entries are repeats"
        )
    known = {"loss": "eval_loss", "steps": "global_step", "lr": "learning_rate"}
    if not any("eval_loss" in run.curves for run in runs):
        del known["loss"]
    return Found(
        "Hugging Face trainer_state.json",
        runs,
        n_read,
        "points",
        tuple(refused),
        tuple(notes),
        known,
    )


def _read_state(file: Path) -> tuple[SourceRun, int, list[Refused]]:
    document = parse_json(decode(read_bounded(file), str(file)), source=str(file))
    history = document.get("log_history") if isinstance(document, dict) else None
    if not isinstance(history, list):
        raise InputError(f"{file}: no `log_history`; not a state of the Hugging Face Trainer")
    points: dict[str, tuple[list[float], list[float]]] = {}
    ends: dict[str, Scalar] = {}
    bad = 0
    for entry in history:
        step = number(entry.get("step")) if isinstance(entry, dict) else None
        if step is None or not abs(step) < 1e18:
            bad += 1
            continue
        is_end = _END in entry
        for name, value in entry.items():
            amount = number(value)
            if amount is None or name in ("step", "total_flos"):
                continue
            if is_end:
                ends[f"{name}_mean_of_run" if name == _END else name] = amount
            else:
                steps, values = points.setdefault(name, ([], []))
                steps.append(step)
                values.append(amount)
    curves, refused = collect_series(_with_tokens(points, document), where=_home(file).name)
    settings = _settings(document, ends, file)
    last, planned = number(document.get("global_step")), number(document.get("max_steps"))
    short = last is not None and planned is not None and last < planned
    status = "unfinished" if short else ""
    run = SourceRun(_home(file).name, settings, curves, last_step=last, status=status)
    listed = [*refused, *([Refused(str(file), "entries without a step", bad)] if bad else [])]
    return run, len(history), listed


def _settings(document: dict[str, Any], ends: dict[str, Scalar], file: Path) -> dict[str, Scalar]:
    """Single values of a state; a tokens count of 0 is none."""
    scalars = {k: v for k, v in document.items() if not isinstance(v, dict | list)}
    settings = {**flatten(scalars), **ends}
    if not number(settings.get(TOKENS)):
        settings.pop(TOKENS, None)
    weights = count_weights(file.parent)
    if weights is not None:
        settings["n_params"] = weights
    return settings


def _with_tokens(
    points: dict[str, tuple[list[float], list[float]]], document: dict[str, Any]
) -> dict[str, tuple[list[float], list[float]]]:
    """Add the state's own count to the curve of tokens; drop one that is 0 throughout."""
    steps, values = points.get(TOKENS, ([], []))
    end, count = number(document.get("global_step")), number(document.get(TOKENS))
    if end is not None and count:
        steps, values = [*steps, end], [*values, count]
    others = {name: each for name, each in points.items() if name != TOKENS}
    return {**others, TOKENS: (steps, values)} if any(values) else others


def _notes(runs: tuple[SourceRun, ...]) -> list[str]:
    notes = []
    without = [r for r in runs if TOKENS not in r.settings and TOKENS not in r.curves]
    if without:
        notes.append(
            f"{TOKENS} is 0 or absent in {len(without)} of {len(runs)} runs: the Trainer counts "
            "tokens only with include_num_input_tokens_seen"
        )
    short = [run for run in runs if run.status]
    if short:
        notes.append(
            f"{len(short)} of {len(runs)} runs are `unfinished`: {short[0].name} is at step "
            f"{short[0].last_step:g} of max_steps {number(short[0].settings['max_steps']):g}"
        )
    if any("total_flos" in run.settings for run in runs):
        notes.append(_FLOPS_NOTE)
    if any("train_loss_mean_of_run" in run.settings for run in runs):
        notes.append("train_loss is a mean over the whole run; it is not read as a final loss")
    if any("n_params" in run.settings for run in runs):
        notes.append("n_params is counted from model.safetensors beside the state, tied once")
    return notes


def _home(file: Path) -> Path:
    """The folder that stands for the run: above `checkpoint-500`."""
    folder = file.resolve().parent
    return folder.parent if _CHECKPOINT.match(folder.name) else folder
