"""Published constants fitted again on their tables: Gadre, Clark, Step law, Tao, Caballero."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks._agreement import digits_agreed, write_plain
from isoflop.exchange.published.read import published_runs
from isoflop.fitting.objective import Objective
from isoflop.fitting.parametric import FitSpec, fit_parametric
from isoflop.fitting.solve.solver import Problem, minimise
from isoflop.laws.broken import BrokenLaw
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.laws.routed import RoutedLaw
from isoflop.laws.tuning import BatchLaw, LearningRateLaw
from isoflop.laws.vocabulary import VocabularyLaw, fitted_tokens
from isoflop.runs.table import RunTable

SQUARES = FitSpec(Objective("squared"), n_resamples=0)
SEQUENCE = 2048


@dataclass(frozen=True)
class Reproduced:
    """One published number and the same found here.

    Args:
        paper: whose.
        what: which quantity.
        published: as printed.
        ours: as found.
    """

    paper: str
    what: str
    published: str
    ours: float

    def line(self) -> str:
        """Return the line of the page's table."""
        shown = write_plain(self.ours, self.published)
        digits = digits_agreed(self.published, self.ours)
        return f"| {self.paper} | {self.what} | {self.published} | {shown} | {digits} |"


def gadre() -> Iterator[Reproduced]:
    """Five small runs on RedPajama, least squares of the loss; two large ones foretold."""
    small = ["d=96_l=8_h=4-1.0", "d=512_l=8_h=4-1.0", "d=576_l=24_h=8-1.0",
             "d=1024_l=24_h=8-1.0", "d=96_l=8_h=4-16.0"]  # fmt: skip
    spec = FitSpec(Objective("squared", scale="linear"), n_resamples=0)
    fit = fit_parametric(_over_trained(small), OverTrainingLaw(), spec)
    E, _, _, eta = fit.theta
    large = _over_trained(["open_lm_1b-32.0", "open_lm_7b-1.0"])
    variables = {name: large.numbers(name) for name in ("n_params", "n_tokens")}
    miss = 100 * np.abs(fit.law.predict(fit.theta, variables) / large.numbers("loss") - 1)
    yield Reproduced("Gadre 2024", "E", "1.837", float(E))
    yield Reproduced("Gadre 2024", "α = β = 2η", ".273", 2 * float(eta))
    yield Reproduced("Gadre 2024", "loss of 1.4B at M = 640, missed by %", ".710", float(miss[0]))
    yield Reproduced("Gadre 2024", "loss of 6.9B at M = 20, missed by %", ".732", float(miss[1]))


def _over_trained(names: Sequence[str]) -> RunTable:
    table = published_runs("gadre-2024-over-training")
    rows = [table.text("run").index(f"rpj-{name}") for name in names]
    N, loss = table.numbers("n_params")[rows], table.numbers("loss")[rows]
    # M is a nominal multiple of 20 in the authors' fit; steps round the tokens.
    D = 20 * np.array([float(table.text("chinchilla_multiplier")[row]) for row in rows]) * N
    return RunTable.from_records(
        [
            {"n_params": n, "n_tokens": d, "loss": x}
            for n, d, x in zip(N.tolist(), D.tolist(), loss.tolist(), strict=True)
        ]
    )


def clark() -> Iterator[Reproduced]:
    """Last losses, every other layer routed, one expert a token; least squares of log10 L."""
    printed = {
        "S-Base": ("-.082", "-.108", ".009", "1.104", "1.847", "314.478", "937"),
        "RL-R": ("-.083", "-.126", ".012", "1.111", "1.880", "469.982", "85"),
        "Hash": ("-.087", "-.136", ".012", "1.157", "4.175", "477.741", "83"),
    }
    names = ("a", "b", "c", "d", "E_start", "E_max", "cut-off, billions")
    for router, published in printed.items():
        fit = fit_parametric(_routed(router), RoutedLaw(), SQUARES)
        found = [*fit.theta, float(fit.law.derive(fit.theta)["N_cutoff"]) / 1e9]
        for name, value, ours in zip(names, published, found, strict=True):
            yield Reproduced(f"Clark 2022, {router}", name, value, float(ours))


def _routed(router: str) -> RunTable:
    table = published_runs("clark-2022-routing")
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
    chosen = np.isin(np.arange(len(kept)), list(last.values()))
    return kept.select(chosen)


def step_law() -> Iterator[Reproduced]:
    """Runs within .25 % of the lowest smoothed loss of their size and data; lines in logarithms."""
    table = _near_best()
    rate = fit_parametric(table, LearningRateLaw(), SQUARES).theta
    batch = fit_parametric(table, BatchLaw(), SQUARES).theta
    printed = (("rate: power of N", "-.713", rate[1]), ("rate: power of D", ".307", rate[2]),
               ("batch: power of D", ".571", batch[1]))  # fmt: skip
    for what, published, ours in printed:
        yield Reproduced("Step law 2025", what, published, float(ours))


def _near_best() -> RunTable:
    table = published_runs("li-2025-step-law")
    N, D, rate = (table.numbers(name) for name in ("n_params", "n_tokens", "lr"))
    loss, batch = (np.array(table.text(name), dtype=float) for name in ("smooth loss", "bs"))
    _, cell = np.unique(np.stack([N, D]), axis=1, return_inverse=True)
    lowest = np.array([loss[cell == k].min() for k in range(cell.max() + 1)])
    columns = np.stack([N, D, rate, batch * SEQUENCE], axis=1)[loss / lowest[cell] - 1 < 0.0025]
    names: list[str] = ["n_params", "n_tokens", "lr", "batch_tokens"]
    rows = [dict(zip(names, row, strict=True)) for row in columns.tolist()]
    return RunTable.from_records(rows)


def tao() -> Iterator[Reproduced]:
    """Points of 2.18e17 FLOPs and more, Huber 1e-3 on the loss itself, D = H·f(V/1000)."""
    table = published_runs("tao-2024-vocabulary")
    table = table.select(table.numbers("flops") >= 2.18e17)
    V, width, H = (
        np.array(table.text(name), dtype=float)
        for name in ("vocab_size", "embed_dim", "num_characters")
    )
    variables = {
        "n_params_non_embedding": table.numbers("n_params_non_embedding"),
        "n_params_vocabulary": V * width,
        "n_tokens": fitted_tokens(H, V),
    }
    law, loss = VocabularyLaw(), table.numbers("loss_unigram")
    problem = Problem(law, variables, loss, Objective("huber", 1e-3, scale="linear"))
    starts = law.propose_starts(variables, loss, n_starts=16, rng=np.random.default_rng(0))
    found = minimise(problem, starts, np.ones(len(loss)))
    E, A1, A2, B, alpha2, beta = found.theta[int(np.argmin(found.objective))]
    printed = {
        "E": ("5.5328", E),
        "A1, N in millions": ("1.8314", A1 / 1e6**beta),
        "A2, N_v in millions": (".19584", A2 / 1e6**alpha2),
        "B, characters in billions": ("2.1241", B / 1e9**beta),
        "α1 = β": (".4466", beta),
        "α2": (".6707", alpha2),
    }
    for what, (published, ours) in printed.items():
        yield Reproduced("Tao 2024", what, published, float(ours))


def caballero() -> Iterator[Reproduced]:
    """Four-digit addition: least squares of log(loss + 1) on 14 points, three foretold."""
    table = published_runs("caballero-2022-arithmetic")
    x, loss = np.array(table.text("n_train"), dtype=float), table.numbers("loss")
    rows = [{"n_tokens": a, "loss": b + 1} for a, b in zip(x[:14], loss[:14], strict=True)]
    fit = fit_parametric(RunTable.from_records(rows), BrokenLaw("n_tokens"), SQUARES)
    miss = np.log(fit.law.predict(fit.theta, {"n_tokens": x}) - 1) - np.log(loss)
    rms = [float(np.sqrt(np.mean(part**2))) for part in (miss[:14], miss[14:])]
    yield Reproduced("Caballero 2022", "RMSLE of the 14 fitted", "5.98e-4", rms[0])
    yield Reproduced("Caballero 2022", "RMSLE of the 3 foretold", "1.09e-2", rms[1])


PAPERS: dict[str, Callable[[], Iterator[Reproduced]]] = {
    "gadre-2024-over-training": gadre,
    "clark-2022-routing": clark,
    "li-2025-step-law": step_law,
    "tao-2024-vocabulary": tao,
    "caballero-2022-arithmetic": caballero,
}
"""{table needed: its rows}."""
