"""The fit card: one screen that says what was fitted, what came out and how far to trust it."""

from html import escape

import numpy as np

from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.foresight.covers import MEAN, describe_single
from isoflop.fitting.foresight.foresight import predict_loss
from isoflop.fitting.given import HELD
from isoflop.fitting.judge import NOT_PREDICTED
from isoflop.fitting.starts import Basins
from isoflop.fitting.uncertainty.profile_ends import show_ends
from isoflop.runs.counted import counted

_BLOCKS = "▁▂▃▄▅▆▇█"
CORRELATED = 0.9
"""Correlation from which two parameters are named as one another's shadow."""
_GOOD_GRID = " (10 to 500 on a good grid)"
FAR_HIGHER = 100.0
"""Relative rise to the next minimum from which its size says nothing."""
REACHES = (1.0, 10.0, 100.0)
"""Multiples of the largest of every variable at which mean and single run are predicted."""


def fit_card(fit: Fit) -> str:
    """Write the card of a fit as plain text."""
    lines = [
        f"{fit.law.name}: {fit.law.response} = {fit.law.form}",
        f"  {fit.law.source}; {fit.convention}; {fit.data.loss_unit}",
        f"  {fit.n_runs} runs from {fit.data.source}, sha256 {fit.data.sha256[:12]}",
        f"  {fit.outcome.value}",
        "",
        *_rows("parameters", fit.params, fit),
        *(f"  {name:<18} {value:.15g}  {HELD}" for name, value in fit.held.items()),
        *_rows(
            _derived_title(fit), {n: e for n, e in fit.derived.items() if n not in fit.given}, fit
        ),
        *_given_rows(fit),
        *_interval_lines(fit),
        "",
        f"objective {fit.objective_value:.10g} ({_loss_name(fit)}, summed)"
        f"   residual rms {_size(fit, fit.rms)}   condition number {fit.condition:.3g}"
        f"{_GOOD_GRID}",
        _starts_line(fit.basins),
        f"residuals  {residual_strip(fit.residuals)}  (by row, ±{_size(fit, _reach(fit))})",
        *_scale_lines(fit),
        *_range_lines(fit),
        *_reach_lines(fit),
    ]
    for note in fit.data.notes:
        lines.append(f"note: {note}")
    for finding in fit.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        lines.append(f"    {finding.consequence}; {finding.remedy}")
    return "\n".join(lines)


def fit_card_html(fit: Fit) -> str:
    """Write the card for a notebook; whatever came from a file is escaped."""
    return f"<pre>{escape(fit_card(fit))}</pre>"


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
    head = f"{title} ({100 * fit.level:.0f} % intervals)"
    shown = {
        name: show_ends(estimate) if name in fit.profiles else f"{estimate}{free}"
        for name, estimate in estimates.items()
    }
    return [head, *(f"  {name:<18} {text}" for name, text in shown.items())]


def _derived_title(fit: Fit) -> str:
    """Name what follows from the constants, and what the optimum's letters mean."""
    optimum = {"a", "b", "G"} <= set(fit.derived)
    return "derived, N* = G·(C/6)^a, D* = (C/6)^b/G" if optimum else "derived"


def _given_rows(fit: Fit) -> list[str]:
    """What follows without the runs having a say, and what sets it instead."""
    given = {name: why for name, why in fit.given.items() if why != HELD}
    return [f"  {name:<18} {fit.derived[name]}  {why}" for name, why in given.items()]


def _interval_lines(fit: Fit) -> list[str]:
    """What the intervals rest on, and which parameters cannot be told apart."""
    if not len(fit.draws) and not fit.profiles:
        return ["intervals: none asked for"]
    weighed = f"; runs weigh {fit.law.response}^{-2 * fit.noise_power:.1f}"
    lines = [f"intervals: {fit.interval}" + (weighed if fit.noise_power else "")]
    names, matrix = fit.law.parameter_names, fit.correlations
    pairs = [
        f"{names[i]}·{names[k]} {matrix[i, k]:+.3f}"
        for i in range(len(matrix))
        for k in range(i + 1, len(matrix))
        if abs(matrix[i, k]) >= CORRELATED
    ]
    return [*lines, f"correlated: {', '.join(pairs)}"] if pairs else lines


def _scale_lines(fit: Fit) -> list[str]:
    """Residuals of every decade of compute: mean, and the size of the scatter."""
    if len(fit.scales) < 2:
        return []
    means = np.array([scale.mean for scale in fit.scales])
    head = f"by scale   {residual_strip(means)}  (means)"
    rows = [
        f"  {shorten(scale.low)} … {shorten(scale.high)}  {counted(scale.n_runs, 'run')}  "
        f"mean {_size(fit, scale.mean)}  rms {_size(fit, scale.rms)}"
        for scale in fit.scales
    ]
    return [head, *rows]


def _reach_lines(fit: Fit) -> list[str]:
    """How the intervals of the law's mean and of a single run widen beyond the runs."""
    ends = [name for name in fit.law.variables if name in fit.data.ranges]
    if not len(fit.draws) or not fit.determined or len(ends) < len(fit.law.variables):
        return []
    where = f"{fit.law.response} at the largest {', '.join(ends)}"
    if any(finding.code == NOT_PREDICTED for finding in fit.findings):
        return [f"{where}: not determined by these runs"]
    at = {name: np.multiply(REACHES, fit.data.ranges[name][1]) for name in ends}
    said = ((MEAN, False), (describe_single(fit), True))
    lines = [f"{where} ({100 * fit.level:g} % intervals)"]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for covers, future in said:
            found = zip(REACHES, predict_loss(fit, at, future=future), strict=True)
            lines.append(f"  {covers}: " + "  ".join(f"{m:g}×: {e}" for m, e in found))
    return lines


def _range_lines(fit: Fit) -> list[str]:
    return [
        f"range  {name:<12} {shorten(low)} … {shorten(high)} ({np.log10(high / low):.1f} decades)"
        for name, (low, high) in fit.data.ranges.items()
        if name != fit.law.response
    ]


def _loss_name(fit: Fit) -> str:
    response = fit.law.response
    scales = {"log": f"log {response}", "log1p": f"log(1 + {response})", "linear": response}
    what = scales[fit.objective.scale]
    if fit.objective.kind == "huber":
        return f"Huber {fit.objective.delta:g} on {what}"
    if fit.objective.kind == "robust":
        return f"robust, no say beyond {fit.objective.threshold:.2g}, on {what}"
    return f"squares of {what}"


def _size(fit: Fit, residual: float) -> str:
    """Write a residual: in per cent where it is one of logs, else in the response's unit."""
    return percent(100 * residual) if fit.objective.scale == "log" else f"{residual:.2g}"


def percent(value: float) -> str:
    """Write a percentage with two digits, without a power of ten.

    >>> percent(1.234), percent(103.7)
    ('1.2 %', '104 %')
    """
    return f"{value:.0f} %" if abs(value) >= 99.5 else f"{value:.2g} %"


def _starts_line(basins: Basins) -> str:
    """How many starts, and what became of them."""
    left = f" ({basins.n_given_up} given up on the way)" if basins.n_given_up else ""
    which = " of the others" if left else ""
    return (
        f"starts {basins.n_starts}{left}, {100 * basins.share_best:.0f} %{which} reach the best of "
        f"{basins.n_basins} minim{'um' if basins.n_basins == 1 else 'a'}{_gap(basins.gap)}"
    )


def _gap(gap: float | None) -> str:
    if gap is None:
        return ""
    far = not np.isfinite(gap) or gap > FAR_HIGHER
    return ", the next far higher" if far else f", the next {percent(100 * gap)} higher"


def _reach(fit: Fit) -> float:
    return float(np.max(np.abs(fit.residuals)))
