"""Clark et al. 2022: routed language models refitted to the curves that were published.

Legend: log10 L = a·log10 N + b·log10 Ê + c·log10 N·log10 Ê + d, 1/Ê = 1/(E − 1 + (1/E_start −
1/E_max)^-1) + 1/E_max; N dense parameters, E experts, one a token.
"""

from collections.abc import Iterator, Mapping
from functools import cache

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.catalog import find_published
from isoflop.laws.law import Array
from isoflop.laws.routed import RoutedLaw
from isoflop.runs.table import RunTable

TABLE = "clark-2022-routing"
SQUARES = FitSpec(Objective("squared"), n_resamples=0)
BY_SIZE = FitSpec(Objective("squared"), cluster="n_params", interval="cluster-bootstrap")
"""Runs of one size share their miss, so sizes are resampled."""
SLOPES, SATURATION = ("a", "b", "c", "d"), ("E_start", "E_max")
PRINTED: Mapping[str, tuple[str, ...]] = {
    "S-Base": ("-.082", "-.108", ".009", "1.104", "1.847", "314.478", "937"),
    "RL-R": ("-.083", "-.126", ".012", "1.111", "1.880", "469.982", "85"),
    "Hash": ("-.087", "-.136", ".012", "1.157", "4.175", "477.741", "83"),
}
"""{router: a, b, c, d, E_start, E_max and the cut-off in billions}."""
SLIDES = "slides along a valley with E_start and E_max"
ROUNDED = "the four together agree within their rounding, below"
LOOSE = "hardly determined: intervals below"
PRINT = "10^(-b/c) of a valley: .1 in b/c is a quarter"


def clark() -> Iterator[Reproduced]:
    """All six constants; then the four slopes with the published saturation held."""
    for router, printed in PRINTED.items():
        table, theta = routed_runs(router), refit(router)
        cutoff = float(RoutedLaw().derive(theta)["N_cutoff"]) / 1e9
        names = (*SLOPES, *SATURATION, "cut-off, billions")
        whys = (*[SLIDES] * 4, LOOSE, LOOSE, PRINT)
        for name, value, ours, why in zip(names, printed, [*theta, cutoff], whys, strict=True):
            yield Reproduced(router, name, value, float(ours), why)
        slopes = fit_slopes(table, published(router)[4:])
        for name, value, ours in zip(SLOPES, printed, slopes, strict=False):
            yield Reproduced(router, f"{name}, saturation held", value, float(ours), ROUNDED)


def lines() -> Iterator[str]:
    """Every line of the page."""
    yield from (row.line() for row in clark())
    for router in PRINTED:
        table = routed_runs(router)
        misses = (rms(table, t) for t in (published(router), in_rounding(router), refit(router)))
        shown = " | ".join(f"{1e3 * miss:.3f}" for miss in misses)
        known = fit_parametric(table, RoutedLaw(), BY_SIZE).params
        ends = (f"{_short(known[name].low)} to {_short(known[name].high)}" for name in SATURATION)
        yield f"| {router} | {len(table)} | {shown} | {' | '.join(ends)} |"


@cache
def routed_runs(router: str) -> RunTable:
    """Dense runs and a router's at their end: every other layer routed, one expert, seed 42."""
    table = published_runs(TABLE)
    kept = table.select(
        (np.array(table.text("routing_frequency")) == "0.5")
        & (np.array(table.text("k")) == "1")
        & (table.numbers("seed") == 42)
        & np.isin(table.text("router_type"), ["Dense", router])
    )
    last: dict[str, int] = {}
    steps = kept.numbers("steps")
    for row, run in enumerate(kept.text("run")):
        if steps[row] >= steps[last.get(run, row)]:
            last[run] = row
    return kept.select(np.isin(np.arange(len(kept)), list(last.values())))


@cache
def refit(router: str) -> Array:
    """(6,) constants of least squares in log10 L."""
    return fit_parametric(routed_runs(router), RoutedLaw(), SQUARES).theta


def published(router: str) -> Array:
    """(6,) constants as printed."""
    return find_published(f"clark-2022-{router.lower()}").theta


def fit_slopes(table: RunTable, saturation: Array) -> Array:
    """(4,) of a, b, c, d by least squares, E_start and E_max held."""
    found = np.linalg.lstsq(_columns(table, saturation), _log_loss(table), rcond=None)[0]
    return np.asarray(found, dtype=np.float64)


def in_rounding(router: str) -> Array:
    """(6,) constants that print as published and fit best: each slope within its last digit."""
    from scipy.optimize import lsq_linear

    table, printed = routed_runs(router), published(router)
    bounds = (printed[:4] - 0.0005, printed[:4] + 0.0005)
    found = lsq_linear(_columns(table, printed[4:]), _log_loss(table), bounds=bounds)
    return np.concatenate([found.x, printed[4:]])


def rms(table: RunTable, theta: Array) -> float:
    """Root mean square of log10 predicted − log10 measured."""
    miss = _columns(table, theta[4:]) @ theta[:4] - _log_loss(table)
    return float(np.sqrt(np.mean(miss**2)))


def effective_experts(n_experts: Array, saturation: Array) -> Array:
    """Ê of E, written out beside `RoutedLaw`."""
    start, most = saturation
    return 1 / (1 / (n_experts - 1 + 1 / (1 / start - 1 / most)) + 1 / most)


def _columns(table: RunTable, saturation: Array) -> Array:
    log_N = np.log10(table.numbers("n_params"))
    log_E = np.log10(effective_experts(table.numbers("n_experts"), saturation))
    return np.stack([log_N, log_E, log_N * log_E, np.ones_like(log_N)], axis=1)


def _log_loss(table: RunTable) -> Array:
    return np.log10(table.numbers("loss"))


def _short(value: float | None) -> str:
    return "nothing" if value is None else f"{float(f'{value:.2g}'):,g}"
