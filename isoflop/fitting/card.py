"""The fit card: one screen that says what was fitted, what came out and how far to trust it."""

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit

_BLOCKS = "▁▂▃▄▅▆▇█"


def fit_card(fit: Fit) -> str:
    """Write the card of a fit as plain text."""
    lines = [
        f"{fit.law.name}: {fit.law.response} = {fit.law.form}",
        f"  {fit.law.source}; {fit.convention}; {fit.data.loss_unit}",
        f"  {fit.n_runs} runs from {fit.data.source}, sha256 {fit.data.sha256[:12]}",
        f"  {fit.outcome.value}",
        "",
        *_rows("parameters", fit.params, fit),
        *_rows("derived", fit.derived, fit),
        "",
        f"objective {fit.objective_value:.10g} ({_loss_name(fit)}, summed)"
        f"   residual rms {_size(fit, fit.rms)}   condition {fit.condition:.3g}",
        f"starts {fit.basins.n_starts}, {100 * fit.basins.share_best:.0f} % reach the best of "
        f"{fit.basins.n_basins} minima" + _gap(fit),
        *_range_lines(fit),
        f"residuals  {residual_strip(fit.residuals)}  (by row, ±{_size(fit, _reach(fit))})",
    ]
    for note in fit.data.notes:
        lines.append(f"note: {note}")
    for finding in fit.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        lines.append(f"    {finding.consequence}; {finding.remedy}")
    return "\n".join(lines)


def residual_strip(residuals: np.ndarray, width: int = 60) -> str:
    """Draw residuals as a strip of blocks, lowest to highest; at most `width` of them.

    >>> residual_strip(np.array([-1.0, 0.0, 1.0]))
    '▁▅█'
    """
    if len(residuals) > width:
        residuals = np.array([part.mean() for part in np.array_split(residuals, width)])
    reach = np.max(np.abs(residuals)) or 1.0
    levels = np.clip(((residuals / reach + 1) * 4).astype(int), 0, 7)
    return "".join(_BLOCKS[level] for level in levels)


def _rows(title: str, estimates: dict[str, Estimate], fit: Fit) -> list[str]:
    if not estimates:
        return []
    free = "" if fit.determined else "  (not determined by these runs)"
    draws = f"{len(fit.draws)} resamples of {fit.resampling}"
    head = f"{title} ({100 * fit.level:.0f} % intervals, {draws})"
    return [head, *(f"  {name:<18} {estimate}{free}" for name, estimate in estimates.items())]


def _range_lines(fit: Fit) -> list[str]:
    return [
        f"range  {name:<12} {shorten(low)} … {shorten(high)} ({np.log10(high / low):.1f} decades)"
        for name, (low, high) in fit.data.ranges.items()
        if name != fit.law.response
    ]


def _loss_name(fit: Fit) -> str:
    what = f"{'log ' if fit.objective.scale == 'log' else ''}{fit.law.response}"
    if fit.objective.kind == "huber":
        return f"Huber {fit.objective.delta:g} on {what}"
    if fit.objective.kind == "robust":
        return f"robust, no say beyond {fit.objective.threshold:.2g}, on {what}"
    return f"squares of {what}"


def _size(fit: Fit, residual: float) -> str:
    """Write a residual: in per cent where it is one of logs, else in the response's unit."""
    return f"{100 * residual:.2g} %" if fit.objective.scale == "log" else f"{residual:.2g}"


def _gap(fit: Fit) -> str:
    return "" if fit.basins.gap is None else f", the next {100 * fit.basins.gap:.2g} % higher"


def _reach(fit: Fit) -> float:
    return float(np.max(np.abs(fit.residuals)))
