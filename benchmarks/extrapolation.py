"""Continue learning curves: isoflop's automatic choice against M1 to M4 and broken laws.

Each curve is fitted on its rows with Training = 1 and scored by the root mean squared difference
of log loss on the rest, the larger scales (Alabdulmohsin et al. 2022).

    python -m benchmarks.extrapolation --data benchmark.csv
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.fitting.automatic.automatic import fit_automatic
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.forms import find_form
from isoflop.runs.table import RunTable

DATA = Path(__file__).parents[2] / "shared" / "data" / "revisiting-scaling-laws" / "benchmark.csv"
COLUMNS = ("Domain", "Task", "Model", "Seen Examples", "Loss", "Training")
LAWS = ("m1", "m2", "m3", "m4", "bnsl1", "bnsl2")
SIMPLER = {"m2": "m1", "m3": "m1", "m4": "m2", "bnsl1": "m2", "bnsl2": "bnsl1"}
"""What is fitted where a curve has too few points for a law."""
METHODS = (*LAWS, "auto")
PUBLISHED = {"M4": "m4, authors' code", "BNSL1_ours": "bnsl1, re-scaled authors' code"}
"""Columns of a baselines.csv beside the data: RMSLE measured with other people's estimators."""
Array = np.ndarray


@dataclass(frozen=True)
class LearningCurve:
    """One curve, split: (n,) examples seen and losses to fit, (m,) to foresee."""

    name: tuple[str, str, str]
    x: Array
    loss: Array
    later: Array
    measured: Array


def read_curves(path: Path) -> list[LearningCurve]:
    """Read a file with the benchmark's columns; rows of a curve may come in any order."""
    rows: dict[tuple[str, str, str], list[tuple[float, float, bool]]] = {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        absent = set(COLUMNS) - set(reader.fieldnames or ())
        if absent:
            raise SystemExit(f"error: {path}: no column {', '.join(sorted(absent))}")
        for row in reader:
            name = (row["Domain"], row["Task"], row["Model"])
            point = (float(row["Seen Examples"]), float(row["Loss"]), float(row["Training"]) == 1)
            if np.isfinite(point[:2]).all() and min(point[:2]) > 0:
                rows.setdefault(name, []).append(point)
    curves = []
    for name, points in rows.items():
        x, loss, fitted = (np.array(column) for column in zip(*points, strict=True))
        if fitted.all() or len(np.unique(x[fitted])) < 3:
            print(f"left out, nothing to fit or to foresee: {name}", file=sys.stderr)
            continue
        curves.append(LearningCurve(name, x[fitted], loss[fitted], x[~fitted], loss[~fitted]))
    return curves


def foresee_by_law(curve: LearningCurve, name: str) -> Array:
    """Fit one law by least squares of log loss and continue the curve, (m,)."""
    law = find_form(name, over="n_tokens")
    table = RunTable.from_records(
        [{"n_tokens": x, "loss": y} for x, y in zip(curve.x, curve.loss, strict=True)]
    )
    try:
        fit = fit_parametric(table, law, FitSpec(Objective("squared"), n_resamples=0, n_starts=24))
    except IsoflopError:
        if name not in SIMPLER:
            return np.full(len(curve.later), np.exp(np.log(curve.loss).mean()))
        return foresee_by_law(curve, SIMPLER[name])
    return law.predict(fit.theta, {"n_tokens": curve.later})


def foresee_automatically(curve: LearningCurve) -> tuple[Array, dict[str, float]]:
    """Continue the curve by the automatic choice, (m,), with how its intervals did."""
    try:
        found = fit_automatic(curve.x, curve.loss).predict(curve.later)
    except IsoflopError:
        return foresee_by_law(curve, "m2"), {"coverage": np.nan, "mean_log_width": np.nan}
    inside = (found.low <= curve.measured) & (curve.measured <= found.high)
    width = float(np.log(found.high / found.low).mean())
    return found.value, {"coverage": float(inside.mean()), "mean_log_width": width}


def score_curve(curve: LearningCurve) -> dict[str, Any]:
    """Score every method on one curve."""
    scores: dict[str, Any] = dict(zip(("domain", "task", "model"), curve.name, strict=True))
    scores |= {"n_train": len(curve.x), "n_test": len(curve.later), "rmsle": {}, "cpu_seconds": {}}
    for name in METHODS:
        start = time.process_time()
        if name == "auto":
            foreseen, scores["intervals"] = foresee_automatically(curve)
        else:
            foreseen = foresee_by_law(curve, name)
        scores["cpu_seconds"][name] = time.process_time() - start
        miss = np.log(foreseen / curve.measured)
        scores["rmsle"][name] = float(np.sqrt(np.mean(miss**2)))
    return scores


def read_published(path: Path) -> dict[tuple[str, ...], dict[str, float]]:
    """Read RMSLE measured with other estimators, where a baselines.csv lies beside the data."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {
            (row["domain"], row["task"], row["model"]): {
                label: float(row[column]) for column, label in PUBLISHED.items()
            }
            for row in csv.DictReader(file)
        }


def summarise(
    curves: Sequence[dict[str, Any]], published: dict[tuple[str, ...], dict[str, float]]
) -> dict[str, Any]:
    """Totals: mean and median RMSLE of each method, wins, and what the intervals covered."""
    scores = {name: np.array([c["rmsle"][name] for c in curves]) for name in METHODS}
    best = np.min([scores[name] for name in METHODS], axis=0)
    keys = [(c["domain"], c["task"], c["model"]) for c in curves]
    known = [k for k, key in enumerate(keys) if key in published]
    for label in PUBLISHED.values() if known else ():
        scores[label] = np.array([published[keys[k]][label] for k in known])
    total: dict[str, Any] = {}
    for name, values in scores.items():
        auto = scores["auto"][known] if len(values) < len(keys) else scores["auto"]
        total[name] = {
            "n": len(values),
            "mean": float(values.mean()),
            "median": float(np.median(values)),
            "beaten_by_auto": float(np.mean(auto < values)),
        }
        if name in METHODS:
            total[name]["wins"] = int(np.sum(values <= best))
            total[name]["cpu_seconds"] = float(np.mean([c["cpu_seconds"][name] for c in curves]))
    points = np.array([c["n_test"] for c in curves])
    intervals: dict[str, float] = {"level": 0.9}
    for key in ("coverage", "mean_log_width"):
        values = np.array([c["intervals"][key] for c in curves])
        given = np.isfinite(values)
        intervals[key] = float(values[given].mean())
        intervals[f"{key}_of_all_points"] = float(np.average(values[given], weights=points[given]))
    return {"rmsle": total, "intervals": intervals}


def print_tables(curves: Sequence[dict[str, Any]], total: dict[str, Any]) -> None:
    print("RMSLE of the held-out points; cover and width of auto's 90 % intervals")
    print(f"{'curve':<42}" + "".join(f"{name:>8}" for name in METHODS) + "   cover  width  cpu s")
    for c in curves:
        name = f"{c['domain']} {c['task']} {c['model']}"[:41]
        row = "".join(f"{c['rmsle'][m]:8.4f}" for m in METHODS)
        found, seconds = c["intervals"], c["cpu_seconds"]["auto"]
        print(
            f"{name:<42}{row}{found['coverage']:8.2f}{found['mean_log_width']:7.3f}{seconds:7.2f}"
        )
    print(f"\n{'method':<34}{'curves':>7}{'mean':>8}{'median':>8}{'wins':>6}  auto wins  cpu s")
    for name, t in total["rmsle"].items():
        wins, seconds = t.get("wins", ""), t.get("cpu_seconds")
        beaten = "" if name == "auto" else f"{100 * t['beaten_by_auto']:.0f} %"
        spent = "" if seconds is None else f"{seconds:.2f}"
        row = f"{t['n']:>7}{t['mean']:8.4f}{t['median']:8.4f}{wins!s:>6}{beaten:>11}{spent:>7}"
        print(f"{name:<34}{row}")
    found = total["intervals"]
    print(
        f"\nauto's 90 % intervals: cover {found['coverage']:.3f} of a curve's points on average "
        f"({found['coverage_of_all_points']:.3f} of all points), mean log-width "
        f"{found['mean_log_width']:.3f} ({found['mean_log_width_of_all_points']:.3f})"
    )


def main(
    arguments: Sequence[str] | None = None,
    note: Callable[[str], object] = lambda line: print(line, file=sys.stderr),
) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.extrapolation", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="CSV with the benchmark's columns")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    if not options.data.exists():
        note(f"no curves at {options.data}; pass --data FILE, a CSV of {', '.join(COLUMNS)}")
        return 2
    curves = [score_curve(curve) for curve in read_curves(options.data)]
    total = summarise(curves, read_published(options.data.parent / "baselines.csv"))
    if options.json:
        print(json.dumps({"curves": curves, "total": total}, indent=1))
    else:
        print_tables(curves, total)
    return 0


if __name__ == "__main__":
    sys.exit(main())
