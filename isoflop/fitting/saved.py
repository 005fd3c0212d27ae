"""Fits as files: JSON in full precision, draws included, so that a plan has its intervals."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from isoflop.base.atomic import write_atomic
from isoflop.base.errors import InputError, IsoflopError
from isoflop.base.estimate import Estimate
from isoflop.base.strict_json import dumps, loads
from isoflop.fitting.automatic.automatic import AutomaticFit, continue_curve
from isoflop.fitting.automatic.curve import Curve
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.misfit import Misfit, misfit_arrays, restore_misfit
from isoflop.fitting.frontiers.bias import ParabolaBias
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.frontiers.optima import FrontierPoints
from isoflop.fitting.objective import Objective
from isoflop.fitting.record import DataRecord, ScaleResiduals
from isoflop.fitting.solve.solver import Outcome
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.intervals import Interval, require_estimator
from isoflop.fitting.whole import require_whole
from isoflop.laws.described import describe_law, restore_law
from isoflop.laws.law import AbstractLaw
from isoflop.runs.checks import Finding

AnyFit = Fit | Frontier | AutomaticFit

FORMAT = "isoflop-fit"
VERSION = 1


def write_fit(fit: AnyFit, path: Path | str) -> Path:
    """Write a fit whole or not at all; the same fit gives the same bytes."""
    document = {"format": FORMAT, "version": VERSION, **fit.to_dict(), "arrays": _arrays(fit)}
    return write_atomic(path, dumps(document, indent=1) + "\n")


def read_fit(path: Path | str) -> AnyFit:
    """Read a fit written by `write_fit`.

    Raises:
        InputError: no such file, not a fit, one that lacks something, or of a newer version.
    """
    path = Path(path)
    try:
        document = loads(path.read_text(encoding="utf-8"), source=str(path))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a fit ({type(error).__name__})") from None
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise InputError(f"{path}: not a fit; expected a file written by `isoflop fit -o`")
    if document.get("version") != VERSION:
        raise InputError(
            f"{path}: fit format version {document.get('version')}, this isoflop reads {VERSION}"
        )
    require_whole(document, source=str(path))
    try:
        if document["law"] == "auto":
            return _automatic(document)
        return _frontier(document) if document["law"] == "frontier" else _fit(document)
    except IsoflopError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"{path}: not a complete fit ({type(error).__name__}: {error})") from None


def _arrays(fit: AnyFit) -> dict[str, object]:
    if isinstance(fit, AutomaticFit):
        return {}  # its curve is all there is, and stands in its document
    arrays: dict[str, object] = {"theta": fit.theta.tolist(), "draws": fit.draws.tolist()}
    if isinstance(fit, Fit):
        arrays["residuals"] = fit.residuals.tolist()
        arrays["n_units"] = fit.n_units
        arrays["covariance"] = [
            [value if np.isfinite(value) else None for value in row]
            for row in fit.covariance.tolist()
        ]
        arrays["law"] = describe_law(fit.law)
        arrays["misfit"] = misfit_arrays(fit.misfit) if fit.misfit else None
    else:
        arrays["n_sizes"] = fit.n_sizes
    return arrays


def _fit(document: Mapping[str, Any]) -> Fit:
    arrays = document["arrays"]
    law = restore_law(arrays["law"])
    width = len(law.parameters)
    theta = _vector(arrays["theta"], width)
    draws = np.array(arrays["draws"], dtype=np.float64).reshape(-1, width)
    _require_within_bounds(law, theta, draws)
    return Fit(
        law=law,
        theta=theta,
        draws=draws,
        objective=Objective(**document["loss"]),
        objective_value=float(document["objective"]),
        residuals=np.array(arrays["residuals"], dtype=np.float64),
        n_units=int(arrays["n_units"]),
        outcome=Outcome[document["outcome"].upper()],
        basins=Basins(**document["basins"]),
        condition=np.inf if document["condition"] is None else float(document["condition"]),
        findings=_findings(document),
        data=_data(document["data"]),
        convention=document["convention"],
        level=float(document["level"]),
        seed=_seed(document["seed"]),
        covariance=_covariance(arrays["covariance"], width),
        interval=_interval(document["interval"]),
        noise_power=float(document["noise_power"]),
        noise_unit=float(document["noise_unit"]),
        scales=tuple(ScaleResiduals(**scale) for scale in document["scales"]),
        misfit=_misfit(document["misfit"], arrays["misfit"]),
        profiles=_profiles(document["profiles"]),
        versions=_texts(document["versions"]),
        procedure=_texts(document.get("procedure", {})),
    )


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in record.items()}


def _misfit(record: Mapping[str, Any] | None, arrays: Mapping[str, Any] | None) -> Misfit | None:
    return None if record is None or arrays is None else restore_misfit(record, arrays)


def _covariance(rows: list[list[float | None]], width: int) -> np.ndarray:
    """Read a covariance; what is not finite was written as null and was infinite."""
    flat = [np.inf if value is None else float(value) for row in rows for value in row]
    if len(flat) != width * width:
        raise ValueError(f"expected a covariance of {width} parameters")
    return np.array(flat).reshape(width, width)


def _interval(record: Mapping[str, Any]) -> Interval:
    evidence = {str(name): float(value) for name, value in record["evidence"].items()}
    estimator = require_estimator(record["estimator"])
    return Interval(estimator, str(record["reason"]), str(record["cluster"]), evidence)


def _profiles(record: Mapping[str, Any]) -> dict[str, Estimate]:
    """Read estimates whose ends may be open, null."""
    return {
        str(name): Estimate(
            float(one["value"]),
            *(None if one[end] is None else float(one[end]) for end in ("low", "high")),
            level=float(one["level"]),
        )
        for name, one in record.items()
    }


def _seed(value: object) -> int:
    seed = int(str(value))
    if seed < 0:
        raise ValueError(f"a seed is not negative, found {seed}")
    return seed


def _automatic(document: Mapping[str, Any]) -> AutomaticFit:
    """Weigh the saved curve again: the same curve gives the same fit, to the bit."""
    saved = document["curve"]
    u, y, noise = (np.array(saved[name], dtype=np.float64) for name in ("u", "y", "noise"))
    start = int(saved["start"])
    if not (len(u) == len(y) == len(noise) and 0 <= start < len(u) and (np.diff(u) > 0).all()):
        raise ValueError("a curve needs as many u as y and noise, u increasing, and an end")
    record, stands_for = float(saved["record"]), float(saved["stands_for"])
    curve = Curve(u, y, noise, record, int(saved["n_points"]), start, stands_for)
    fit = continue_curve(
        curve,
        over=document["over"],
        n_runs=int(document["n_runs"]),
        level=float(document["level"]),
        seed=_seed(document["seed"]),
    )
    data = None if document["data"] is None else _data(document["data"])
    procedure = _texts(document.get("procedure", {}))
    return replace(fit, data=data, findings=_findings(document), procedure=procedure)


def _frontier(document: Mapping[str, Any]) -> Frontier:
    arrays = document["arrays"]
    points = {name: np.array(column) for name, column in document["points"].items()}
    return Frontier(
        method=document["method"],
        points=FrontierPoints(**points),
        valleys=(),
        theta=_vector(arrays["theta"], 4),
        draws=np.array(arrays["draws"], dtype=np.float64).reshape(-1, 4),
        objective_value=float(document["objective"]),
        n_runs=int(document["n_runs"]),
        n_sizes=int(arrays["n_sizes"]),
        findings=_findings(document),
        data=_data(document["data"]),
        convention=document["convention"],
        level=float(document["level"]),
        seed=_seed(document["seed"]),
        bias=_bias(document["bias"]),
        procedure=_texts(document.get("procedure", {})),
    )


def _bias(record: Mapping[str, Any] | None) -> ParabolaBias | None:
    if record is None:
        return None
    return ParabolaBias(**{field.name: float(record[field.name]) for field in fields(ParabolaBias)})


def _vector(values: list[float], width: int) -> np.ndarray:
    vector = np.array(values, dtype=np.float64)
    if vector.shape != (width,):
        raise ValueError(f"expected {width} parameters, found {vector.size}")
    return vector


def _require_within_bounds(law: AbstractLaw, theta: np.ndarray, draws: np.ndarray) -> None:
    """Insist that parameters are what the solver could have written."""
    for k, parameter in enumerate(law.parameters):
        values = np.append(draws[:, k], theta[k])
        # exp(log(bound)) may miss the bound by rounding
        inside = (values >= parameter.low * (1 - 1e-9)) & (values <= parameter.high * (1 + 1e-9))
        if not inside.all():
            raise ValueError(f"{parameter.name} out of bounds")


def _findings(document: Mapping[str, Any]) -> tuple[Finding, ...]:
    return tuple(Finding(**{**f, "runs": tuple(f["runs"])}) for f in document["findings"])


def _data(record: Mapping[str, Any]) -> DataRecord:
    names = [field.name for field in fields(DataRecord)]
    read = {name: record[name] for name in names if name not in ("best", "definitions")}
    read["best"] = tuple((float(c), float(loss)) for c, loss in record["best"])
    read["definitions"] = _texts(record.get("definitions", {}))
    read["notes"] = tuple(record["notes"])
    read["cost_per_root"] = max(0.0, float(record["cost_per_root"]))
    read["ranges"] = {
        name: (float(low), float(high)) for name, (low, high) in record["ranges"].items()
    }
    return DataRecord(**read)
