"""What parabolas get wrong by design: wide, off-centre or drifting grids, without any noise.

A loss is no parabola in log N unless both exponents are equal, so the minimum of a parabola lies
beside the minimum of the loss (Czech 2026, arXiv 2603.22339). How far depends on the grid and on
the surface, and the surface can be fitted to the same runs: here it is put in place of the
measured losses, without noise, and the method's error on it is the estimate of its bias.

Legend: C FLOPs, N parameters, D tokens; a exponent of N* ∝ C^a.
"""

import numpy as np

from isoflop.base.errors import IsoflopError
from isoflop.base.estimate import Estimate
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.bias import ParabolaBias
from isoflop.fitting.frontiers.frontier import fit_lines
from isoflop.fitting.frontiers.optima import Array, Valley
from isoflop.fitting.frontiers.valleys import locate_vertex, tokens_line
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable

FAR = 100.0
"""The bias of N* is told at this multiple of the largest compute."""
NEGLIGIBLE = 0.005
"""Bias of log N* that nobody needs to hear of: half a percent of the parameters."""
NEGLIGIBLE_EXPONENT = 0.001
NOTED_SHARE = 0.5
"""Share of a half-interval from which a bias is noted: 90 % intervals then cover about 80 %."""
N_STARTS = 24


def estimate_bias(table: RunTable, valleys: list[Valley], *, seed: int = 0) -> ParabolaBias | None:
    """Estimate the bias of the parabolas that were used.

    Args:
        table: the runs.
        valleys: the budgets used, two or more.
        seed: of the surface fit's starts.

    Returns:
        The bias, or None where no surface can be fitted to these runs.
    """
    if any(tokens_line(valley)[0] >= 0 for valley in valleys):
        return None  # tokens that do not fall with size are no budget, whatever `flops` says
    try:
        spec = FitSpec(n_resamples=0, n_starts=N_STARTS, seed=seed)
        fit = fit_parametric(table, ChinchillaLaw(), spec)
    except IsoflopError:
        return None
    return bias_on_surface(fit, valleys) if fit.determined else None


def bias_on_surface(fit: Fit, valleys: list[Valley]) -> ParabolaBias:
    """Hold parabolas through a surface's own losses against its own optima.

    Args:
        fit: a Chinchilla surface.
        valleys: budgets with their runs.
    """
    true = np.array([optimum_on_budget(fit.theta, valley) for valley in valleys])
    found = np.array([locate_vertex(valley, _losses(fit, valley)) for valley in valleys])
    flops = np.array([valley.flops for valley in valleys])
    lines = fit_lines(flops, np.stack([true, found]), np.stack([-true, -found]))
    far = FAR * float(flops.max())
    shift = lines[1, :2] - lines[0, :2]
    offset = np.array([valley.centre for valley in valleys]) - true
    spans = [np.log(v.n_params.max() / v.n_params.min()) / 2 for v in valleys]
    return ParabolaBias(
        exponent=float(shift[0]),
        log_n_opt=float(shift[1] + shift[0] * np.log(far)),
        flops=far,
        half_width=float(np.exp(np.mean(spans))),
        offset=float(np.exp(offset.mean())),
        drift=float(np.exp(np.polyfit(np.log10(flops), offset, 1)[0])),
    )


def optimum_on_budget(theta: Array, valley: Valley) -> float:
    """Log N of the lowest loss of a Chinchilla surface along one budget, in closed form.

    With log D = m·log N + q along the budget (m = −1 for C = 6ND), dL/dN = 0 gives
    N^(alpha − m·beta) = alpha·A·e^(beta·q) / (−m·beta·B); Hoffmann et al. 2022, eq. 4, for m = −1.
    """
    _, A, B, alpha, beta = theta
    slope, intercept = tokens_line(valley)
    ratio = np.log(alpha * A) + beta * intercept - np.log(-slope * beta * B)
    return float(ratio / (alpha - slope * beta))


def judge_bias(bias: ParabolaBias, exponent: Estimate, n_params: Estimate) -> list[Finding]:
    """Report a bias that an interval has no room for.

    A warning where it exceeds half the interval's width, a note from a quarter of it.

    Args:
        bias: the estimate.
        exponent: a, with its interval if it has one.
        n_params: N* at `bias.flops`, with its interval if it has one.
    """
    room = exponent.half_width or 0.0
    reach = 0.0
    if n_params.low and n_params.high:
        reach = float(np.log(n_params.high / n_params.low) / 2)
    sizes = (
        (abs(bias.exponent), room, NEGLIGIBLE_EXPONENT),
        (abs(bias.log_n_opt), reach, NEGLIGIBLE),
    )
    share = max(size / max(half, least) for size, half, least in sizes)
    if share <= NOTED_SHARE:
        return []
    return [
        Finding(
            code="parabola-bias",
            severity="warning" if share > 1 else "note",
            evidence=f"on the surface fitted to the same runs, without noise, these parabolas err "
            f"by {bias} (half-intervals {100 * np.expm1(reach):.1f} % and {room:.4f})",
            consequence="the interval has no room for the method's own bias and holds the truth "
            "less often than it says",
            remedy="plan with --method parametric; narrow the grids and centre them on the optimum",
        )
    ]


def _losses(fit: Fit, valley: Valley) -> Array:
    runs = {"n_params": valley.n_params, "n_tokens": valley.n_tokens}
    return fit.law.predict(fit.theta, runs)
