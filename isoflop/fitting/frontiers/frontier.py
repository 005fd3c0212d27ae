"""The compute-optimal frontier as two power laws: N* = k_N·C^a and D* = k_D·C^b.

Legend: C FLOPs, N parameters, D tokens, L loss.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from isoflop.base.errors import EdgeOptimumError
from isoflop.base.estimate import LEVEL, Estimate, interval_from_draws, shorten
from isoflop.fitting.frontiers.bias import ParabolaBias
from isoflop.fitting.frontiers.optima import Array, FrontierPoints, Valley
from isoflop.fitting.procedure import closed_procedure
from isoflop.fitting.record import DataRecord
from isoflop.fitting.uncertainty.bootstrap import small_sample_stretch
from isoflop.runs.checks import Finding

MOST_SHOWN = 10
"""Optima printed, the smallest and the largest; all are in the JSON document."""


@dataclass(frozen=True)
class Frontier:
    """A fitted frontier.

    Args:
        method: `isoflop` (approach 2) or `envelope` (approach 1).
        points: the optima it runs through.
        valleys: the IsoFLOP curves, none for the envelope.
        theta: (4,) a, log k_N, b, log k_D.
        draws: (K, 4) resampled.
        objective_value: sum of squares of log N* about the line.
        n_runs: runs used.
        n_sizes: model sizes resampled together, on which the small-sample factor rests.
        findings: what a reader should know.
        data: what was fitted.
        convention: which N.
        level: confidence level.
        seed: seed of the resamples.
        bias: what the parabolas get wrong by design, where it could be estimated.
        procedure: {optimiser, bounds, tolerance, selection or code: how it was}, in words.
    """

    method: str
    points: FrontierPoints
    valleys: tuple[Valley, ...]
    theta: Array
    draws: Array
    objective_value: float
    n_runs: int
    n_sizes: int
    findings: tuple[Finding, ...]
    data: DataRecord
    convention: str = "as recorded"
    level: float = LEVEL
    seed: int = 0
    bias: ParabolaBias | None = None
    procedure: Mapping[str, str] = field(default_factory=closed_procedure)

    @property
    def params(self) -> dict[str, Estimate]:
        """a, k_N, b and k_D with intervals."""
        names = ("a", "k_N", "b", "k_D")
        return {
            name: self._interval(k, amount=name.startswith("k")) for k, name in enumerate(names)
        }

    @property
    def stretch(self) -> float:
        """Small-sample factor on the intervals: Student's t for the sizes resampled."""
        return small_sample_stretch(self.n_sizes, 1, self.level)

    @property
    def derived(self) -> dict[str, Estimate]:
        """The exponents of N* ∝ C^a and D* ∝ C^b."""
        return {name: self.params[name] for name in ("a", "b")}

    def optimum(self, flops: float) -> tuple[Estimate, Estimate, Estimate]:
        """N*, D* and D*/N* at a compute, with intervals."""
        log_C = np.log(flops)
        log_N, log_D = (
            vectors[..., 1] + vectors[..., 0] * log_C for vectors in (self._rows(0), self._rows(2))
        )
        n_params, n_tokens, ratio = (
            interval_from_draws(
                float(np.exp(v[0])), np.exp(v[1:]), level=self.level, stretch=self.stretch, log=True
            )
            for v in (log_N, log_D, log_D - log_N)
        )
        return n_params, n_tokens, ratio

    def _rows(self, first: int) -> Array:
        """Slope and intercept of N (0) or D (2): the estimate, then the draws."""
        return np.concatenate([self.theta[None], self.draws])[:, first : first + 2]

    def _interval(self, k: int, *, amount: bool) -> Estimate:
        change = np.exp if amount else np.asarray
        return interval_from_draws(
            float(change(self.theta[k])),
            change(self.draws[:, k]),
            level=self.level,
            stretch=self.stretch,
            log=amount,
        )

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object, in full precision."""
        return {
            "law": "frontier",
            "form": "n_params = k_N*flops**a; n_tokens = k_D*flops**b",
            "method": self.method,
            "n_runs": self.n_runs,
            "objective": self.objective_value,
            "params": {name: e.to_dict() for name, e in self.params.items()},
            "derived": {name: e.to_dict() for name, e in self.derived.items()},
            "points": self.points.to_dict(),
            "bias": self.bias.to_dict() if self.bias else None,
            "outcome": "converged",
            "findings": [finding.to_dict() for finding in self.findings],
            "convention": self.convention,
            "bootstrap": len(self.draws),
            "level": self.level,
            "seed": self.seed,
            "procedure": dict(self.procedure),
            "data": self.data.to_dict(),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.method}: N* = k_N·C^a, D* = k_D·C^b",
            f"  {self.n_runs} runs, {len(self.points)} optima, {self.convention}",
            *(f"  {name:<4} {estimate}" for name, estimate in self.params.items()),
            self._optima_head(),
            *_optima_lines(self.points, self.level),
        ]
        if self.bias:
            lines.append("bias by design: what parabolas err by on these grids, without any noise,")
            lines.append(f"  on the surface fitted to the same runs: {self.bias}")
        for finding in self.findings:
            lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        return "\n".join(lines)

    def _optima_head(self) -> str:
        unit = self.data.loss_unit.removesuffix(" (assumed)")
        if self.points.loss_ends is None:
            why = "sizes of the grid" if self.method == "envelope" else "none asked for"
            return f"optima (no intervals: {why}), loss in {unit}"
        return f"optima ({100 * self.level:g} % intervals of each parabola), loss in {unit}"


def _optima_lines(points: FrontierPoints, level: float) -> list[str]:
    """The optima by compute: all of them, or the smallest and the largest few."""
    sizes, tokens = (points.estimates(name, level) for name in ("n_params", "n_tokens"))
    losses = points.estimates("loss", level)
    told = losses if points.loss_ends is not None else [f"{one.value:.4f}" for one in losses]
    lines = [
        f"  C {shorten(float(points.flops[k]))}  N* {sizes[k]}  D* {tokens[k]}  loss {told[k]}"
        for k in np.argsort(points.flops, kind="stable")
    ]
    left = len(lines) - MOST_SHOWN
    if left <= 1:  # one line more takes no more room than saying that it was left out
        return lines
    half = MOST_SHOWN // 2
    return [*lines[:half], f"  … and {left} more (--json has all)", *lines[-half:]]


def fit_lines(flops: Array, log_N: Array, log_D: Array) -> Array:
    """Regress log N* and log D* on log C.

    Args:
        flops: (m,) compute.
        log_N: (..., m) log of the optimal parameters.
        log_D: (..., m) log of the optimal tokens.

    Returns:
        (..., 4) a, log k_N, b, log k_D.

    Raises:
        EdgeOptimumError: fewer than two optima.
    """
    if len(flops) < 2:
        raise EdgeOptimumError(
            f"{len(flops)} usable optimum{'s' * (len(flops) != 1)} found; a frontier needs "
            "optima inside the grid at two computes or more; widen the grid of sizes"
        )
    log_C = np.log(flops)
    centred = log_C - log_C.mean()
    out = []
    for values in (log_N, log_D):
        slope = values @ centred / (centred @ centred)
        out += [slope, values.mean(axis=-1) - slope * log_C.mean()]
    return np.stack(out, axis=-1)
