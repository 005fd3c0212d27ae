"""What a budget reads: tokens of compute by the plan's exponents, or by any law of the catalog.

Legend: C FLOPs, N(C) and D(C) parameters and tokens of the compute-optimal run, C = 6ND.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.laws.catalog import PublishedLaw, find_published
from isoflop.plan.forecast.century import LARGEST, Century
from isoflop.plan.forecast.stock import STOCKS, Exhaustion, Stock, find_exhaustion

OWN = "exponents"
"""Name of the plan's own rule, D_0·g^q."""
RULES: Mapping[str, tuple[str, ...]] = {
    "text": (OWN, "besiroglu-2024"),
    "image": ("henighan-2020-vq-32x32-n-opt",),
    "video": ("henighan-2020-video-vq-n-opt",),
}
"""{modality: rules}; text by Kaplan's exponents and by the refit of Hoffmann's law, which part."""


def exhaust_stocks(
    century: Century,
    stocks: Sequence[Stock] = STOCKS,
    *,
    rules: Sequence[str] = (),
    per_year: float | None = None,
    from_year: float = 2020.0,
) -> list[Exhaustion]:
    """Find where a century's plan has read each stock of data once.

    Args:
        century: the plan.
        stocks: what there is.
        rules: names for text, `exponents` or laws of the catalog, in place of the usual two.
        per_year: factor by which compute grows a year, to date the exhaustion.
        from_year: year in which compute was the anchor's.

    Raises:
        UnknownNameError: a rule nobody knows.
        InputError: a law that does not say how many tokens a budget reads, or no growth.
        RefusalError: a stock that no plan reads.
    """
    if per_year is not None and not 1 < per_year < math.inf:
        raise InputError(f"growth a year must exceed 1, found {per_year:g}")
    found = []
    for stock in stocks:
        usual = RULES.get(stock.modality, (OWN,))
        for rule in rules if rules and stock.modality == "text" else usual:
            reads = choose_rule(rule, century)
            one = find_exhaustion(stock, reads, rule=rule, flops=century.flops.value)
            found.append(_date(one, century, per_year, from_year))
    return found


def choose_rule(name: str, century: Century) -> Callable[[float], float]:
    """Return D(C) by its name: `exponents`, or a law of the catalog.

    Args:
        name: of a rule of N or D of compute, or of a law that has an optimum.
        century: whose exponents are meant.

    Raises:
        UnknownNameError: no such law.
        InputError: a law that predicts something else.
    """
    if name == OWN:
        start, at, exponent = (century.n_tokens.value, century.flops.value,
                               century.spec.tokens_exponent)  # fmt: skip

        def read(flops: float) -> float:
            log_tokens = math.log(start) + exponent * (math.log(flops) - math.log(at))
            return math.exp(max(-LARGEST, min(LARGEST, log_tokens)))

        return read
    law = find_published(name)
    if law.law.variables == ("flops",) and law.predicts == "n_params":
        return lambda flops: flops / (6 * _at(law, flops))
    if law.law.variables == ("flops",) and law.predicts == "n_tokens":
        return lambda flops: _at(law, flops)
    derived = law.law.derive(law.theta)
    if not {"G", "a"} <= set(derived):
        raise InputError(
            f"{name} gives {law.predicts} of {', '.join(law.law.variables)} and no optimum; a rule "
            "gives tokens or parameters of a budget: kaplan-2020-n-opt, besiroglu-2024"
        )
    G, a = float(derived["G"]), float(derived["a"])  # N = G·(C/6)^a
    return lambda flops: (flops / 6) ** (1 - a) / G


def _at(law: PublishedLaw, flops: float) -> float:
    return float(law.law.predict(law.theta, {"flops": np.array([flops])})[0])


def _date(
    found: Exhaustion, century: Century, per_year: float | None, from_year: float
) -> Exhaustion:
    """Add the year in which compute gets there."""
    if per_year is None:
        return found
    start = century.spec.anchor.flops

    def year(flops: float | None) -> float | None:
        return flops and from_year + math.log(flops / start) / math.log(per_year)

    value = year(found.flops.value)
    assert value is not None
    dated = Estimate(value, year(found.flops.low), year(found.flops.high), found.flops.level)
    return replace(found, year=dated)
