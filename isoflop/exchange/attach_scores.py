"""Attach lm-eval's results to runs: by the model's name, asked about where it could be several."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.exchange.foreign_json import number
from isoflop.exchange.found import SourceRun
from isoflop.exchange.sources import lm_eval
from isoflop.runs.cells import Cell
from isoflop.runs.table import RunTable

_ABOUT = frozenset({"task", "model", "shots", "n_samples", "model_num_parameters"})
MAX_SHOWN = 8


@dataclass(frozen=True)
class Attached:
    """Runs with the scores of their models.

    Args:
        table: the runs; columns `TASK/METRIC`, and `accuracy` with `n_examples` for one task.
        matched: {model: run}.
        unmatched: models that are no run of the table.
        without: runs that have no score.
        tasks: tasks attached.
        task: the one whose accuracy became the column `accuracy`, "" for none.
    """

    table: RunTable
    matched: Mapping[str, str]
    unmatched: tuple[str, ...]
    without: tuple[str, ...]
    tasks: tuple[str, ...]
    task: str

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "n_runs": len(self.table),
            "matched": dict(self.matched),
            "unmatched": list(self.unmatched),
            "without": list(self.without),
            "tasks": list(self.tasks),
            "task": self.task or None,
            "sha256": self.table.sha256(),
        }

    def __str__(self) -> str:
        lines = [
            f"Attached {len(self.tasks)} tasks to {len(self.matched)} of {len(self.table)} runs"
        ]
        lines += [f"Model    {m} = {run}" for m, run in list(self.matched.items())[:MAX_SHOWN]]
        if len(self.matched) > MAX_SHOWN:
            lines.append(f"Model    … and {len(self.matched) - MAX_SHOWN} more; --json lists them")
        if self.task:
            lines.append(f"Columns  accuracy = {self.task}/acc; others TASK/METRIC")
        else:
            lines.append("Columns  TASK/METRIC; --task NAME makes one of them `accuracy`")
        for title, names in (("No run", self.unmatched), ("No score", self.without)):
            if names:
                lines.append(f"{title:<9}{_some(names)}")
        return "\n".join(lines)


def attach_scores(
    table: RunTable,
    results: Path | str,
    *,
    match: Mapping[str, str] | None = None,
    task: str = "",
) -> Attached:
    """Add the results of lm-eval to the runs whose models they are.

    A model is a run where the run's name is the model's: its path, the last part of it, or that
    part with its revision. Nothing nearer to a guess is tried.

    Args:
        table: runs with names in the column `run`.
        results: a results file of lm-eval, or a folder of them.
        match: {model as lm-eval names it, or the last part of its path: run}; wins.
        task: whose accuracy and number of items become `accuracy` and `n_examples`; the only one
            if there is one.

    Raises:
        InputError: no model is a run; a model that could be several runs, two models that are one
            run, or two results of one model and task that differ.
        UnknownNameError: a run or task that is not there.
    """
    if "run" not in table:
        raise InputError(f"{table.source}: runs without names (`run`) cannot be told apart")
    rows = lm_eval.read(Path(results)).runs
    models = list(dict.fromkeys(str(row.settings["model"]) for row in rows))
    tasks = tuple(dict.fromkeys(str(row.settings["task"]) for row in rows))
    if task and task not in tasks:
        raise UnknownNameError("task", task, tasks)
    chosen = task or (tasks[0] if len(tasks) == 1 else "")
    matched = _match(models, table, dict(match or {}))
    scores: dict[str, dict[str, Cell]] = {}
    for row in rows:
        run = matched.get(str(row.settings["model"]))
        if run is not None:
            _add(scores.setdefault(run, {}), _cells(row, chosen), run)
    return Attached(
        _joined(table, scores),
        matched,
        tuple(model for model in models if model not in matched),
        tuple(name for name in table.text("run") if name not in scores),
        tasks,
        chosen,
    )


def parse_matches(texts: Sequence[str]) -> dict[str, str]:
    """Read `model=run` of the command line; a model's own name may hold =.

    >>> parse_matches(["pretrained=/ckpts/a=first"])
    {'pretrained=/ckpts/a': 'first'}
    """
    match: dict[str, str] = {}
    for text in texts:
        model, equals, run = text.rpartition("=")
        if not (model and equals and run.strip()):
            raise InputError(f"--match wants MODEL=RUN, found {text[:60]!r}")
        match[model.strip()] = run.strip()
    return match


def names_of_model(model: str) -> list[str]:
    """Return what a run of this model may be called, the fullest first.

    >>> names_of_model("pretrained=/ckpts/d16/,revision=step100,dtype=float32")
    ['/ckpts/d16', 'd16', 'd16-step100', 'd16@step100']
    >>> names_of_model("team/d16@step100")
    ['team/d16@step100', 'team/d16', 'd16', 'd16-step100', 'd16@step100']
    """
    stated = dict(part.split("=", 1) for part in model.split(",") if "=" in part)
    path, revision = stated.get("pretrained", model).rstrip("/"), stated.get("revision", "")
    if not stated and "@" in path:
        path, _, revision = path.rpartition("@")
    last = re.split(r"/|__", path)[-1]
    names = [path, last]
    if revision:
        names += [f"{last}-{revision}", f"{last}@{revision}"]
    return list(dict.fromkeys([*names] if "=" in model else [model, *names]))


def _match(models: Sequence[str], table: RunTable, match: dict[str, str]) -> dict[str, str]:
    runs = table.text("run")
    for name in runs:
        if name and runs.count(name) > 1:
            raise InputError(f"{table.source}: {runs.count(name)} rows are called {name!r}")
    known = {name for model in models for name in (model, *names_of_model(model))}
    for model, run in match.items():
        if model not in known:
            raise UnknownNameError("model", model, models)
        if run not in runs:
            raise UnknownNameError("run", run, runs)
    matched: dict[str, str] = {}
    for model in models:
        run = _run_of(model, runs, match)
        if run is None:
            continue
        other = next((m for m, r in matched.items() if r == run), None)
        if other is not None:
            raise InputError(
                f"{other!r} and {model!r} could both be the run {run!r}; "
                "say which with --match MODEL=RUN, or give their results one at a time"
            )
        matched[model] = run
    if not matched:
        raise InputError(
            f"none of {len(models)} models is a run of {table.source}: models {_some(models)}; "
            f"runs {_some(runs)}; say which is which with --match MODEL=RUN"
        )
    return matched


def _run_of(model: str, runs: Sequence[str], match: Mapping[str, str]) -> str | None:
    names = list(dict.fromkeys([model, *names_of_model(model)]))
    told = next((match[name] for name in names if name in match), None)
    if told is not None:
        return told
    lower = {name.lower() for name in names}
    could = [run for run in runs if run and run.lower() in lower]
    if len(could) > 1:
        near = get_close_matches(model, could, n=1) or could[:1]
        raise InputError(
            f"model {model!r} could be {len(could)} runs: {_some(could)}; say which with "
            f"--match {model}={near[0]}"
        )
    return could[0] if could else None


def _cells(row: SourceRun, chosen: str) -> dict[str, Cell]:
    task = str(row.settings["task"])
    cells: dict[str, Cell] = {}
    for name, value in row.settings.items():
        amount = number(value)
        if name not in _ABOUT and amount is not None:
            cells[f"{task}/{name}"] = amount
    if task == chosen and f"{task}/acc" in cells:
        cells |= {"accuracy": cells[f"{task}/acc"]}
        items = number(row.settings.get("n_samples"))
        cells |= {"n_examples": items} if items else {}
    return cells


def _add(scores: dict[str, Cell], cells: Mapping[str, Cell], run: str) -> None:
    for name, value in cells.items():
        if name in scores and scores[name] != value:
            raise InputError(
                f"two results of run {run!r} differ in {name}: {scores[name]} and {value}; "
                "give one of them, such as the folder of one date or number of shots"
            )
        scores[name] = value


def _joined(table: RunTable, scores: Mapping[str, Mapping[str, Cell]]) -> RunTable:
    added = dict.fromkeys(name for cells in scores.values() for name in cells)
    clash = next((name for name in added if name in table), None)
    if clash is not None:
        raise InputError(f"{table.source}: has a column {clash!r} already; drop it, or rename it")
    records = [
        {**record, **{n: scores.get(str(record["run"]), {}).get(n) for n in added}}
        for record in table.records()
    ]
    mapping = {**table.mapping, **{name: name for name in added}}
    return RunTable.from_records(records, source=table.source, mapping=mapping)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name[:60] for name in names[:MAX_SHOWN])
    return shown + (f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else "")
