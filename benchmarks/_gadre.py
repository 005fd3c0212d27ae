"""Gadre et al. 2024: five small runs foretell two large ones, in loss and in error.

Legend: N parameters, D tokens, M = D/N, L = E + (a·M^η + b·M^-η)·C^-η, error = ε − k·exp(−γL).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.downstream.two_step import fit_two_step, predict_two_step
from isoflop.fitting.fit import Fit
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.laws.downstream import ErrorLaw
from isoflop.laws.law import Array
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.runs.table import RunTable

TABLE = "gadre-2024-over-training"
SQUARES = FitSpec(Objective("squared", scale="linear"), n_resamples=0)
SMALL = ("d=96_l=8_h=4-1.0", "d=512_l=8_h=4-1.0", "d=576_l=24_h=8-1.0", "d=1024_l=24_h=8-1.0",
         "d=96_l=8_h=4-16.0")  # fmt: skip
MIDDLE = "open_lm_1b-1.0"
LARGE = ("open_lm_1b-32.0", "open_lm_7b-1.0")
NAMES = ("1.4B at M = 640", "6.9B at M = 20")
LEAST = 20.0 * (1 - 1e-9)
"""Smallest M of the five runs; the law was never shown one below."""
CORPORA = {"rpj": "RedPajama", "c4_original": "C4", "rw_original": "RefinedWeb"}
ERRORS = {
    "d=96_l=8_h=4-1.0": 0.8134857,
    "d=512_l=8_h=4-1.0": 0.7250452,
    "d=576_l=24_h=8-1.0": 0.6710080,
    "d=1024_l=24_h=8-1.0": 0.6365529,
    "d=96_l=8_h=4-16.0": 0.7671019,
    "open_lm_1b-1.0": 0.5473253,
    "open_lm_1b-32.0": 0.4752152,
    "open_lm_7b-1.0": 0.4716372,
}
"""Mean top-1 error over the authors' 17 tasks, from exp_data/evals of their repository."""


@dataclass(frozen=True)
class Foretold:
    """Runs of one corpus that its five small runs foretell.

    Args:
        corpus: as in the table.
        runs: all the corpus's runs.
        fit: of the five.
        fitted: (n_runs,) bool, whether a run is one of the five.
        miss: (n_runs,) predicted over measured loss − 1, %.
    """

    corpus: str
    runs: RunTable
    fit: Fit
    fitted: "np.ndarray"
    miss: Array


def gadre() -> Iterator[Reproduced]:
    """The constants, and how far two large runs are missed: as the authors print."""
    small, large = over_trained("rpj", SMALL), over_trained("rpj", LARGE)
    fit = fit_parametric(small, OverTrainingLaw(), SQUARES)
    paper, (E, _, _, eta) = CORPORA["rpj"], fit.theta
    yield Reproduced(paper, "E", "1.837", float(E), "")
    yield Reproduced(paper, "α = β = 2η", ".273", 2 * float(eta), "")
    losses = fit.law.predict(fit.theta, _variables(large)) / large.numbers("loss")
    mapped = over_trained("rpj", (*SMALL, MIDDLE))
    two_step = fit_two_step(small, OverTrainingLaw(), ErrorLaw(), mapped=mapped, spec=SQUARES)
    errors = np.array([e.value for e in predict_two_step(two_step, _variables(large))])
    for what, ratio, printed in (("loss", losses, (".710", ".732")),
                                 ("error on 17 tasks", errors / large.numbers("error"),
                                  ("3.637", ".046"))):  # fmt: skip
        for name, miss, value in zip(NAMES, 100 * np.abs(ratio - 1), printed, strict=True):
            yield Reproduced(paper, f"{what} of {name}, missed by %", value, float(miss), "")


def lines() -> Iterator[str]:
    """Every line of the page."""
    yield from (row.line() for row in gadre())
    for corpus, name in CORPORA.items():
        told = foretell(corpus)
        miss, others = np.abs(told.miss), ~told.fitted
        cells = [name, ", ".join(_short(value) for value in told.fit.theta)]
        for side in (_ratio(told.runs) < LEAST, _ratio(told.runs) >= LEAST):
            chosen = miss[others & side]
            cells += [str(len(chosen)), f"{np.median(chosen):.2f}", f"{chosen.max():.2f}"]
        yield f"| {' | '.join(cells)} |"


@cache
def foretell(corpus: str) -> Foretold:
    """Fit a corpus's five small runs and predict all its runs."""
    everyone = over_trained(corpus)
    fitted = np.isin(everyone.text("run"), SMALL)
    fit = fit_parametric(everyone.select(fitted), OverTrainingLaw(), SQUARES)
    predicted = fit.law.predict(fit.theta, _variables(everyone))
    return Foretold(corpus, everyone, fit, fitted, 100 * (predicted / everyone.numbers("loss") - 1))


def over_trained(corpus: str, names: Sequence[str] = ()) -> RunTable:
    """Runs of a corpus, all of them or those named, in that order."""
    table = published_runs(TABLE)
    listed = table.text("run")
    names = names or [run.removeprefix(f"{corpus}-") for run in listed
                      if run.startswith(f"{corpus}-")]  # fmt: skip
    rows = [listed.index(f"{corpus}-{name}") for name in names]
    N, loss = table.numbers("n_params")[rows], table.numbers("loss")[rows]
    # M is a nominal multiple of 20 in the authors' fit; steps round the tokens.
    D = 20 * np.array([float(table.text("chinchilla_multiplier")[row]) for row in rows]) * N
    columns = zip(names, N.tolist(), D.tolist(), loss.tolist(), strict=True)
    errors = ERRORS if corpus == "rpj" else {}
    return RunTable.from_records(
        [{"run": name, "n_params": n, "n_tokens": d, "loss": x, "error": errors.get(name)}
         for name, n, d, x in columns]
    )  # fmt: skip


def _variables(table: RunTable) -> dict[str, Array]:
    return {name: table.numbers(name) for name in ("n_params", "n_tokens")}


def _ratio(table: RunTable) -> Array:
    return table.numbers("n_tokens") / table.numbers("n_params")


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3f}".replace("0.", ".", 1)
