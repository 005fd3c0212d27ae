"""What follows from Kaplan et al. 2020's printed constants, beside what the paper prints.

Their runs are not published, so that no fit can be repeated: tables and text are held against each
other, through the commands that a user has. Legend: f of "stop f above converged".
"""

import contextlib
import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks._reproduced import Reproduced
from isoflop.base.units import PF_DAY, to_pf_days
from isoflop.cli.main import run
from isoflop.laws.catalog import find_published
from isoflop.laws.published.kaplan_2020_theory import derive_frontier

PAPER = "Kaplan 2020"


def ask(command: str) -> dict[str, Any]:
    """Return the JSON document of an `isoflop` command."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        run([*command.split(), "--json"])
    return json.loads(output.getvalue())


def kaplan() -> Iterator[Reproduced]:
    """Each printed number of the page, and the same by the printed constants."""
    for what, published, ours in (*_counts(), *_economics(), *_theory(), *_contradiction()):
        yield Reproduced(PAPER, what, published, ours)


def _counts() -> Iterator[tuple[str, str, float]]:
    for layers, width, printed in ((12, 768, "8.5e7"), (48, 1600, "1.5e9")):
        counted = ask(f"count --n-layer {layers} --d-model {width} --n-ctx 1024 --n-vocab 50257")
        yield f"N of ({layers}, {width})", printed, counted["n_params"]["non_embedding"]


def _economics() -> Iterator[tuple[str, str, float]]:
    doubling = 1 - 2.0 ** -find_published("kaplan-2020-b-crit-l").printed["alpha_B"]
    yield "B_crit doubles with a loss lower by %", "13", 100 * doubling
    overfit = ask("kaplan overfit --n-params 1B")
    needed = "tokens against 2 % of overfitting (eq. 4.4)"
    yield f"{needed}: prefactor", "5e3", _value(overfit, "prefactor")
    yield f"{needed}: power of N", ".74", _value(overfit, "exponent")
    stop = ask("kaplan stop")
    yield "stop above converged, %", "10", 100 * stop["best"]["above_converged"]["value"]
    yield "stopping at 2 %: fewer parameters", "2.7", _value(stop, "params_ratio")
    yield "the same: more steps", "7.7", _value(stop, "steps_ratio")
    yield "the same: less compute, %", "65", 100 * _value(stop, "compute_saved")
    size = ask("kaplan size --ratio 2.2")
    yield "smallest size within 20 % of the compute", ".6", _value(size, "smallest")
    yield "largest", "2.2", _value(size, "largest")
    yield "2.2 times the size: fewer steps, %", "45", 100 * (1 - _value(size, "steps_ratio"))
    rate = find_published("kaplan-2020-lr")
    for n_params, printed in ((98304.0, "1.64e-3"), (6.79e8, "4.02e-4")):
        lr = rate.law.predict(rate.theta, {"n_params": np.array([n_params])})[0]
        yield f"rate of {n_params:.4g} parameters, as Henighan 2020's table 4", printed, float(lr)


def _theory() -> Iterator[tuple[str, str, float]]:
    """Appendix B: the frontier that follows from Table 3, which the paper prints twice."""
    frontier = derive_frontier(0.077, 0.76, 6.5e13, 2.1e3)
    yield "theory, alpha_C (B.7)", ".052", frontier.loss_exponent
    yield "theory, alpha_C (6.4)", ".054", frontier.loss_exponent
    yield "theory, alpha_C, fitted (Table 5)", ".050", frontier.loss_exponent
    yield "theory, power of N (6.4)", ".71", frontier.params_exponent
    yield "theory, power of N, fitted (Table 6)", ".73", frontier.params_exponent
    yield "theory, C_c in PF-days, fitted (Table 5)", "3.1e8", to_pf_days(frontier.loss_scale)
    one = {"flops": np.array([PF_DAY])}
    for what, printed, name in (("N", "1.3e9", "kaplan-2020-theory-n-opt"),
                                ("steps", "5.4e3", "kaplan-2020-theory-s-min")):  # fmt: skip
        entry = find_published(name)
        yield (
            f"theory, {what} at one PF-day, fitted",
            printed,
            float(entry.law.predict(entry.theta, one)[0]),
        )


def _contradiction() -> Iterator[tuple[str, str, float]]:
    found = ask("crossing")
    yield "power of C in the tokens that overfitting asks for", ".54", 0.74 * 0.73
    yield "power of C in L(D(C))", ".026", 0.095 * 0.27
    yield "crossing, PF-days", "1e4", _value(found, "pf_days")
    yield "crossing, parameters", "1e12", _value(found, "n_params")
    yield "crossing, tokens", "1e12", _value(found, "n_tokens")
    yield "crossing, nats per token", "1.7", _value(found, "loss")


def _value(document: dict[str, Any], name: str) -> float:
    return float(document[name]["value"])
