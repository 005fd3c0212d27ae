"""lm-eval results: `results_*.json`, a row a task and model; the layout has moved, so by feel.

Keys are `acc,none` since 0.4 and `acc` before; standard errors stay beside their metric.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from isoflop.base.errors import InputError
from isoflop.exchange.bounded import decode, read_bounded, walk
from isoflop.exchange.foreign_json import Scalar, number, parse_json
from isoflop.exchange.found import Found, Refused, SourceRun


def is_results(document: object) -> bool:
    """Tell whether a JSON document is a result of lm-eval."""
    return (
        isinstance(document, dict)
        and isinstance(document.get("results"), dict)
        and bool({"versions", "n-shot", "config", "configs"} & set(document))
    )


def is_results_file(path: Path) -> bool:
    """Tell whether a file has the name that lm-eval gives its results."""
    return path.name.startswith("results") and path.suffix == ".json"


def read(path: Path) -> Found:
    """Read one results file, or every one below a folder.

    Raises:
        InputError: the only file holds no results.
    """
    files = [path] if path.is_file() else [p for p in walk(path) if is_results_file(p)]
    runs: list[SourceRun] = []
    refused: list[Refused] = []
    for file in files:
        try:
            document = parse_json(decode(read_bounded(file), str(file)), source=str(file))
            if not is_results(document):
                raise InputError(f"{file}: no `results` of lm-eval")
        except InputError as error:
            if len(files) == 1:
                raise
            refused.append(Refused(file.name, str(error)))
            continue
        runs += _rows(document, file, refused)
    notes = ["a row is a task of a model; losses are not among lm-eval's results"]
    known = {"accuracy": "acc", "n_params": "model_num_parameters"}
    return Found(
        "lm-eval results", tuple(runs), len(runs), "rows", tuple(refused), tuple(notes), known
    )


def _rows(document: Mapping[str, Any], file: Path, refused: list[Refused]) -> list[SourceRun]:
    config = document.get("config")
    config = config if isinstance(config, dict) else {}
    model = _model(document, config) or file.parent.name
    runs = []
    for task, metrics in document["results"].items():
        if not isinstance(metrics, dict):
            refused.append(Refused(f"{file.name} {task}", "no metrics"))
            continue
        cells: dict[str, Scalar] = {"task": str(task), "model": model}
        shots = _of(document.get("n-shot"), task)
        cells |= {"shots": number(shots)} if number(shots) is not None else {}
        samples = _of(document.get("n-samples"), task)
        count = samples.get("effective") if isinstance(samples, dict) else samples
        cells |= {"n_samples": number(count)} if number(count) is not None else {}
        size = number(config.get("model_num_parameters"))
        cells |= {"model_num_parameters": size} if size and size > 0 else {}
        for key, value in metrics.items():
            amount = number(value) if not isinstance(value, str) else None
            if amount is not None:
                cells[str(key).removesuffix(",none")] = amount
        runs.append(SourceRun(f"{model} {task}", cells))
    return runs


def _model(document: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """The model as it is named, `@` its revision where that is not the main one.

    Arguments are text, `pretrained=a,revision=b`, before 0.4.9 and an object since.
    """
    stated = config.get("model_args") or ""
    if isinstance(stated, dict):
        stated = ",".join(f"{key}={value}" for key, value in stated.items())
    named = str(document.get("model_name") or "")
    if not named:
        return str(stated)
    parts = dict(part.split("=", 1) for part in str(stated).split(",") if "=" in part)
    revision = str(parts.get("revision") or config.get("model_revision") or "main")
    return named if revision in ("main", "None", "") else f"{named}@{revision}"


def _of(table: object, task: str) -> Any:
    return table.get(task) if isinstance(table, dict) else None
