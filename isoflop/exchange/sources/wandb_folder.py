"""W&B run folders: the `.wandb` log, else the summary and config that lie beside it."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import decode, read_bounded, walk
from isoflop.exchange.foreign_json import Scalar, flatten, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.plain_yaml import parse_yaml
from isoflop.exchange.sources.wandb_log import RunLog, read_log

SUMMARY, CONFIG = "wandb-summary.json", "config.yaml"


def read(path: Path) -> Found:
    """Read one run's folder, a `wandb` folder of many, or a `.wandb` file."""
    files = [path] if path.is_file() else list(walk(path))
    logs = [file for file in files if file.suffix == ".wandb"]
    folders: dict[Path, dict[str, Path]] = defaultdict(dict)
    for file in files:
        if file.parent.name == "files" and file.name in (SUMMARY, CONFIG):
            folders[file.parent.parent][file.name] = file
    for log in logs:
        folders[log.parent][".wandb"] = log
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    n_read = 0
    for folder, parts in sorted(folders.items()):
        try:
            run, count, bad = _read_run(folder, parts)
        except InputError as error:
            refused.append(Refused(folder.name, str(error)))
            continue
        runs.append(run)
        n_read += count
        refused += bad
    without = sum(not run.curves for run in runs)
    notes = [f"{without} runs have a summary only: no history"] if without else []
    return Found("W&B run folder", named_once(runs), n_read, "points", tuple(refused), tuple(notes))


def _read_run(folder: Path, parts: dict[str, Path]) -> tuple[SourceRun, int, list[Refused]]:
    config: dict[str, Scalar] = {}
    summary: dict[str, Scalar] = {}
    if CONFIG in parts:
        text = decode(read_bounded(parts[CONFIG]), str(parts[CONFIG]))
        config = _values(flatten(parse_yaml(text, source=str(parts[CONFIG]))))
    if SUMMARY in parts:
        text = decode(read_bounded(parts[SUMMARY]), str(parts[SUMMARY]))
        document = parse_json(text, source=str(parts[SUMMARY]))
        if not isinstance(document, dict):
            raise InputError(f"{parts[SUMMARY]}: expected a JSON object")
        summary = flatten(document)
    if ".wandb" not in parts:
        return SourceRun(folder.name, config, {}, summary), len(summary), []
    log = read_log(read_bounded(parts[".wandb"]), str(parts[".wandb"]))
    curves, twice = collect_series(log.points, where=log.name)
    count = sum(len(steps) for steps, _ in log.points.values())
    listed = [*twice, *_damage(log, parts[".wandb"].name)]
    summary = {**log.summary, **summary}
    run = SourceRun(
        name=log.name or folder.name,
        settings={**log.config, **config},
        curves=curves,
        summary={name: value for name, value in summary.items() if number(value) is not None},
        status=_status(log),
    )
    return run, count, listed


def _status(log: RunLog) -> str:
    if log.exit_code is None:
        return "running"
    return "finished" if log.exit_code == 0 else "failed"


def _damage(log: RunLog, name: str) -> list[Refused]:
    refused = []
    if log.damaged:
        refused.append(Refused(name, "records whose checksum or content is wrong", log.damaged))
    if log.torn:
        why = f"{log.torn} bytes after the last whole record; the run did not close its log"
        refused.append(Refused(name, why))
    return refused


def _values(config: dict[str, Scalar]) -> dict[str, Scalar]:
    """W&B writes `lr: {desc: …, value: 0.1}`; the value is the setting."""
    return {
        name.removesuffix(".value").replace(".value.", ".", 1): value
        for name, value in config.items()
        if ".value" in name
    }


def named_once(runs: list[SourceRun]) -> tuple[SourceRun, ...]:
    """Give runs that share a name a number each; W&B lets many runs have one name."""
    seen: dict[str, int] = defaultdict(int)
    named = []
    for run in runs:
        seen[run.name] += 1
        count = seen[run.name]
        name = run.name if count == 1 else f"{run.name} #{count}"
        named.append(replace(run, name=name))
    return tuple(named)
