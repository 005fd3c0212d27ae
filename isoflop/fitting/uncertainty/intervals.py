"""Which interval a fit needs, and the evidence in its residuals for it.

| name | noise it is right for |
|---|---|
| wald | independent, one size; least squares |
| robust | independent, one size, heavy tails or outliers; Huber and robust losses |
| hc3 | independent, size differs from run to run |
| cluster | runs of a group share an offset: same model, same trunk, same tuning |
| case, cluster-bootstrap, wild | refits of resampled runs, groups, residuals: slower |
| profile | independent, one size; constants that hardly anything bounds; asked for only |
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.fitting.uncertainty.components import Components, split_noise
from isoflop.fitting.uncertainty.noise import NoiseProfile
from isoflop.fitting.uncertainty.tangent import Tangent

Estimator = Literal[
    "auto", "wald", "hc3", "robust", "cluster", "case", "cluster-bootstrap", "wild", "profile"
]
ESTIMATORS: tuple[Estimator, ...] = (
    "auto",
    "wald",
    "hc3",
    "robust",
    "cluster",
    "case",
    "cluster-bootstrap",
    "wild",
    "profile",
)
GROUPED = frozenset({"cluster", "cluster-bootstrap"})
"""Estimators that need groups."""
RESAMPLED = frozenset({"case", "cluster-bootstrap", "wild"})
"""Estimators that refit resamples."""
SUSPICION = 0.1
"""p-value of the group effect from which runs count as grouped. Generous: with no offsets at all
the group interval is a little wide, with offsets the others are far too narrow."""
BECAUSE = "because"
"""How the reason of a chosen interval begins."""
EVIDENCE = 0.05
"""p-value from which the noise counts as uneven."""
HEAVY_TAILS = 6.0
"""Excess kurtosis from which a sandwich no longer knows how outliers move the fit: on the design of
240 published runs with their own residuals, reshuffled, it covers 80 % at a nominal 90, refits of
resampled groups 89 to 94 %."""
MANY_RUNS, MANY_GROUPS = 20, 4
"""Runs, and groups, a parameter from which they may be resampled instead."""


@dataclass(frozen=True)
class Interval:
    """What the intervals of a fit rest on.

    Args:
        estimator: one of `ESTIMATORS`, never auto.
        reason: why this one, in numbers.
        cluster: column of the groups, "" where runs are independent.
        evidence: what the residuals say: icc, icc_p, noise_power, noise_power_p, outliers,
            kurtosis; as far as the runs can tell.
    """

    estimator: Estimator = "case"
    reason: str = "asked for"
    cluster: str = ""
    evidence: Mapping[str, float] = field(default_factory=dict)

    @property
    def chosen(self) -> bool:
        """Whether the residuals chose it, not the user."""
        return self.reason.startswith(BECAUSE)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {**asdict(self), "evidence": dict(self.evidence)}

    def __str__(self) -> str:
        by = f" by {self.cluster}" if self.estimator in GROUPED else ""
        return f"{self.estimator}{by}, {self.reason}"


@dataclass(frozen=True)
class Groups:
    """Runs that may share noise.

    Args:
        column: where the labels come from.
        labels: (n_runs,) label of each run.
        parts: what they explain of the noise, None where the design cannot tell.
    """

    column: str
    labels: list[str]
    parts: Components | None


def profiled(draws: Interval) -> Interval:
    """Describe intervals by profile, whose draws, for predictions, rest on another estimator."""
    reason = f"as asked, of each constant and of a; predictions and what else follows: {draws}"
    return Interval("profile", reason, draws.cluster, draws.evidence)


def require_estimator(name: str) -> Estimator:
    """Check the name of an interval."""
    for estimator in ESTIMATORS:
        if estimator == name:
            return estimator
    raise InputError(str(UnknownNameError("interval", name, ESTIMATORS)))


def weigh_groups(tangent: Tangent, labels: Mapping[str, list[str]]) -> Groups | None:
    """Choose the grouping that explains most of the noise.

    Args:
        tangent: the fit.
        labels: {column: (n_runs,) labels} of the candidates.

    Returns:
        The one with the smallest p-value, corrected for their number; None without candidates.
    """
    groups = [
        Groups(column, names, split_noise(tangent, names)) for column, names in labels.items()
    ]
    return min(groups, key=lambda g: g.parts.p_value if g.parts else 1.0) if groups else None


def choose_interval(
    tangent: Tangent, profile: NoiseProfile, groups: Groups | None, *, n_candidates: int = 1
) -> Interval:
    """Choose the interval by what the residuals show.

    Heavy tails first, where the runs are enough to be resampled; then groups, for offsets make
    the worst errors; then noise of uneven size; then the loss.

    Args:
        tangent: the fit.
        profile: its noise.
        groups: runs that may share noise, if any.
        n_candidates: groupings that were tried.
    """
    evidence = gather_evidence(profile, groups)
    squared = tangent.problem.objective.kind == "squared"
    parts = groups.parts if groups else None
    n_runs, n_parameters = tangent.jacobian.shape
    if profile.kurtosis > HEAVY_TAILS and n_runs >= MANY_RUNS * n_parameters:
        reason = f"{BECAUSE} {n_runs} runs have heavy tails, {_tails(profile)}"
        if groups and len(set(groups.labels)) >= MANY_GROUPS * n_parameters:
            return Interval("cluster-bootstrap", reason, groups.column, evidence)
        return Interval("case", reason, "", evidence)
    if groups and parts and parts.p_value * n_candidates < SUSPICION:
        reason = f"{BECAUSE} ICC {parts.icc:.2f}, {_p(parts.p_value)}"
        if profile.power_p < EVIDENCE:
            reason += f"; a sandwich, {uneven_reason(tangent, profile)}"
        return Interval("cluster", reason, groups.column, evidence)
    if profile.power_p < EVIDENCE:
        return Interval("hc3", uneven_reason(tangent, profile), "", evidence)
    if squared:
        return Interval("wald", f"{BECAUSE} the noise is even", "", evidence)
    return Interval("robust", f"{BECAUSE} the loss is ({_tails(profile)})", "", evidence)


def _tails(profile: NoiseProfile) -> str:
    return f"excess kurtosis {profile.kurtosis:.1f}, {profile.n_outliers} outliers"


def uneven_reason(tangent: Tangent, profile: NoiseProfile) -> str:
    """Say how the noise follows the response."""
    response = tangent.problem.law.response
    return f"{BECAUSE} the noise goes as {response}^{profile.power:.1f}, {_p(profile.power_p)}"


def gather_evidence(profile: NoiseProfile, groups: Groups | None) -> dict[str, float]:
    """List what the residuals say, for the record."""
    evidence = {
        "noise_power": profile.power,
        "noise_power_p": profile.power_p,
        "outliers": float(profile.n_outliers),
        "kurtosis": profile.kurtosis,
    }
    if groups and groups.parts:
        evidence |= {"icc": groups.parts.icc, "icc_p": groups.parts.p_value}
    return evidence


def _p(value: float) -> str:
    return f"p {value:.2g}" if value >= 1e-4 else f"p {value:.0e}"
