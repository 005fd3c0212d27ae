"""MLflow's SQLite store, `mlflow.db`, the default since MLflow 3.7."""

import math
import sys
from pathlib import Path

from isoflop.base.errors import InputError
from isoflop.exchange.foreign_json import Scalar, number
from isoflop.exchange.found import Found, Refused, SourceRun, collect_series
from isoflop.exchange.readonly_sqlite import Database, open_readonly

TABLES = frozenset({"experiments", "runs", "params", "metrics", "latest_metrics"})
Points = dict[str, tuple[list[float], list[float]]]


def read(path: Path) -> Found:
    """Read every run that was not deleted, with its parameters and every point of its metrics.

    Raises:
        InputError: not a database of MLflow.
    """
    with open_readonly(path) as database:
        missing = sorted(TABLES - database.tables)
        if missing:
            raise InputError(f"{path}: not a database of MLflow: no table {missing[0]!r}")
        return _read(database)


def _read(database: Database) -> Found:
    experiments = dict(database.rows("SELECT experiment_id, name FROM experiments"))
    settings = _settings(database)
    points, n_points, refused = _points(database)
    latest = _latest(database)
    listed = database.rows(
        "SELECT run_uuid, name, status, lifecycle_stage, experiment_id FROM runs "
        "ORDER BY start_time, run_uuid"
    )
    names = [str(name or uuid) for uuid, name, *_ in listed]
    runs: list[SourceRun] = []
    same_step = 0
    for (uuid, _, status, stage, experiment), name in zip(listed, names, strict=True):
        if stage == "deleted":
            refused.append(Refused(f"run {name}", "deleted in MLflow"))
            continue
        own = points.get(uuid, {})
        same_step += any(len(steps) > 1 and len(set(steps)) == 1 for steps, _ in own.values())
        curves, twice = collect_series(own, where=name)
        refused += twice
        unique = name if names.count(name) == 1 else f"{name} {str(uuid)[:8]}"
        cells = {**settings.get(uuid, {}), "mlflow_experiment": experiments.get(experiment)}
        state = str(status or "").lower()
        runs.append(SourceRun(unique, cells, curves, latest.get(uuid, {}), None, state))
    notes = ()
    if same_step:
        notes = (f"{same_step} runs logged several points without step=; only the last is known",)
    return Found("MLflow database", tuple(runs), n_points, "points", tuple(refused), notes)


def _settings(database: Database) -> dict[str, dict[str, Scalar]]:
    settings: dict[str, dict[str, Scalar]] = {}
    for key, value, uuid in database.rows("SELECT key, value, run_uuid FROM params"):
        settings.setdefault(uuid, {})[str(key)] = str(value)
    return settings


def _points(database: Database) -> tuple[dict[str, Points], int, list[Refused]]:
    """Every point in the order it was logged, so that of two at one step the later one holds."""
    rows = database.rows(
        "SELECT key, value, run_uuid, step, is_nan FROM metrics ORDER BY timestamp, rowid"
    )
    points: dict[str, Points] = {}
    bad = 0
    for key, value, uuid, step, is_nan in rows:
        amount, at = number(value), number(step)
        if amount is None or at is None or not abs(at) < 1e18:
            bad += 1
            continue
        steps, values = points.setdefault(uuid, {}).setdefault(str(key), ([], []))
        steps.append(at)
        values.append(_logged(amount, is_nan))
    refused = [Refused("metrics", "value or step is no number", bad)] if bad else []
    return points, len(rows), refused


def _latest(database: Database) -> dict[str, dict[str, Scalar]]:
    latest: dict[str, dict[str, Scalar]] = {}
    query = "SELECT key, value, run_uuid, is_nan FROM latest_metrics"
    for key, value, uuid, is_nan in database.rows(query):
        amount = number(value)
        if amount is not None:
            latest.setdefault(uuid, {})[str(key)] = _logged(amount, is_nan)
    return latest


def _logged(amount: float, is_nan: object) -> float:
    """The value as logged: the store keeps NaN as a flag, infinity as the largest float."""
    if is_nan:
        return math.nan
    return math.copysign(math.inf, amount) if abs(amount) == sys.float_info.max else amount
