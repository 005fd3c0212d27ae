"""A budget of a century: money to FLOPs to parameters, bytes and loss.

The slides this follows scale GPT-3 by exponents; so does this, with every input replaceable and
what the exponents leave open carried along. Nothing here was measured within ten orders of
magnitude of where it is used, and the findings say so.

Legend: C FLOPs, g = C/C_0 growth over the anchor, N = N_0·g^p, D = D_0·g^q tokens, L loss.
"""

import math
from dataclasses import dataclass, field

from isoflop.accounting.conversion import convert_units
from isoflop.accounting.ratios import Ratio, find_ratios
from isoflop.base.errors import InputError
from isoflop.base.estimate import LEVEL, Estimate
from isoflop.base.units import to_pf_days
from isoflop.laws.catalog import PublishedLaw, find_published
from isoflop.laws.power import PowerLaw
from isoflop.plan.forecast.century_findings import judge_century
from isoflop.runs.finding import Finding

LARGEST = 690.0
"""Natural logarithm beyond which floats end."""


@dataclass(frozen=True)
class Anchor:
    """The run that is scaled: GPT-3 (Brown et al. 2020) unless another is given.

    Args:
        name: of the model.
        flops: its training compute, FLOPs.
        n_params: its parameters.
        n_tokens: tokens it read.
    """

    name: str = "GPT-3"
    flops: float = 3.14e23
    n_params: float = 1.75e11
    n_tokens: float = 3e11


@dataclass(frozen=True)
class CenturySpec:
    """What a century's budget is carried through.

    Args:
        usd: money, dollars.
        flops_per_usd: FLOPs that a dollar buys by then.
        anchor: the run scaled.
        growth: times the anchor's compute; computed from the money if None.
        params_exponent: p of N ∝ C^p (Kaplan 2020, Table 6).
        tokens_exponent: q of D ∝ C^q (the same).
        exponent_error: half width of the 90 % interval of every exponent, relative; the published
            exponents of L(C), .050 to .054, lie within 5 %. 0 for none.
        data_law: loss of tokens, a name of the catalog.
        compute_law: loss of FLOPs.
        ratios: name of a set of ratios between tokens, words, characters and bytes.
    """

    usd: float = 1e12
    flops_per_usd: float = 1e24
    anchor: Anchor = field(default_factory=Anchor)
    growth: float | None = None
    params_exponent: float = 0.73
    tokens_exponent: float = 0.27
    exponent_error: float = 0.05
    data_law: str = "kaplan-2020-l-d"
    compute_law: str = "kaplan-2020-l-cmin"
    ratios: str = "slides"

    def __post_init__(self) -> None:
        amounts = {
            "usd": self.usd, "flops_per_usd": self.flops_per_usd, "growth": self.growth or 1.0,
            "params_exponent": self.params_exponent, "tokens_exponent": self.tokens_exponent,
            "anchor flops": self.anchor.flops, "anchor n_params": self.anchor.n_params,
            "anchor n_tokens": self.anchor.n_tokens,
        }  # fmt: skip
        for name, value in amounts.items():
            if not 0 < value < math.inf or (name == "growth" and self.growth == 0):
                raise InputError(f"{name} must be positive and finite, found {value:g}")
        if not 0 <= self.exponent_error < 1:
            raise InputError(f"exponent_error is a share below 1, found {self.exponent_error:g}")
        if not 0 < self.usd * self.flops_per_usd < math.inf:
            raise InputError("usd times flops_per_usd is beyond floats; look at both")


@dataclass(frozen=True)
class Century:
    """Where a budget leads, if the laws hold.

    Args:
        spec: what it was carried through.
        flops: C.
        pf_days: C in PF-days.
        growth: times the anchor's compute.
        n_params: N, parameters.
        n_tokens: D, tokens.
        n_bytes: D in bytes.
        data_loss: L(D), nats per token.
        compute_loss: L(C), nats per token.
        findings: what a reader should know.
    """

    spec: CenturySpec
    flops: Estimate
    pf_days: Estimate
    growth: Estimate
    n_params: Estimate
    n_tokens: Estimate
    n_bytes: Estimate
    data_loss: Estimate
    compute_loss: Estimate
    findings: tuple[Finding, ...]

    def loss_in(self, unit: str) -> dict[str, Estimate]:
        """Both losses in another unit, such as bits/token or bits/char."""
        ratios = find_ratios(self.spec.ratios).ratios
        losses = {"data_loss": self.data_loss, "compute_loss": self.compute_loss}
        return {name: _convert(loss, unit, ratios) for name, loss in losses.items()}

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object, in full precision."""
        names = ("flops", "pf_days", "growth", "n_params", "n_tokens", "n_bytes", "data_loss",
                 "compute_loss")  # fmt: skip
        spec = {k: v for k, v in vars(self.spec).items() if k != "anchor"}
        units = ("bits/token", "bits/char")
        return {
            **{name: getattr(self, name).to_dict() for name in names},
            "loss_unit": "nats/token",
            "loss_in": {u: {k: e.to_dict() for k, e in self.loss_in(u).items()} for u in units},
            "inputs": {**spec, "anchor": dict(vars(self.spec.anchor))},
            "findings": [finding.to_dict() for finding in self.findings],
        }


def forecast_century(spec: CenturySpec | None = None) -> Century:
    """Carry money through FLOPs to parameters, tokens, bytes and loss.

    Args:
        spec: every input; the slides' 1e12 dollars at 1e24 FLOPs a dollar by default.

    Raises:
        InputError: an input that is not positive, or a law of something else.
        UnknownNameError: a law or a set of ratios nobody knows.

    >>> slides = forecast_century(CenturySpec(growth=1e12, exponent_error=0))
    >>> print(slides.n_params, f"{slides.n_bytes.value:.4g}", slides.data_loss)
    1.01e20 2.085e+15 0.806
    """
    spec = spec or CenturySpec()
    flops = spec.usd * spec.flops_per_usd
    growth = spec.growth or flops / spec.anchor.flops
    ratios = find_ratios(spec.ratios).ratios
    n_params = _scale(spec.anchor.n_params, growth, spec.params_exponent, spec.exponent_error)
    n_tokens = _scale(spec.anchor.n_tokens, growth, spec.tokens_exponent, spec.exponent_error)
    per_token = convert_units(1.0, "token", "byte", ratios=ratios)
    reach = spec.exponent_error * spec.tokens_exponent * abs(math.log(growth))
    data_loss = loss_at(_take(spec.data_law, "n_tokens"), n_tokens.value, spec, spread=reach)
    compute_loss = loss_at(_take(spec.compute_law, "flops"), flops, spec)
    return Century(
        spec=spec,
        flops=Estimate(flops),
        pf_days=Estimate(to_pf_days(flops)),
        growth=Estimate(growth),
        n_params=n_params,
        n_tokens=n_tokens,
        n_bytes=_times(n_tokens, per_token),
        data_loss=data_loss,
        compute_loss=compute_loss,
        findings=judge_century(
            anchor=spec.anchor.name, flops=flops, growth=growth,
            spent=6 * n_params.value * n_tokens.value, losses=(data_loss, compute_loss),
        ),
    )  # fmt: skip


def loss_at(law: PublishedLaw, x: float, spec: CenturySpec, *, spread: float = 0.0) -> Estimate:
    """Evaluate a power law far out: L = (x_c/x)^alpha, its scale held and its exponent open.

    Args:
        law: entry of the catalog, a pure power law.
        x: tokens or FLOPs.
        spec: for the error of the exponent.
        spread: half width of ln x at 90 %.
    """
    A, alpha = law.theta.tolist()
    log_loss = math.log(A) - alpha * math.log(x)
    half = math.hypot(spec.exponent_error * log_loss, alpha * spread)
    return _around(math.exp(log_loss), half)


def _take(name: str, variable: str) -> PublishedLaw:
    """A pure power law of loss in one variable."""
    law = find_published(name)
    if not isinstance(law.law, PowerLaw) or law.law.variables != (variable,):
        raise InputError(f"{name} is {law.form}; a century needs loss = A/{variable}**alpha")
    return law


def _scale(anchor: float, growth: float, exponent: float, error: float) -> Estimate:
    """Anchor times growth^exponent, its logarithm open by the error of the exponent."""
    log_value = math.log(anchor) + exponent * math.log(growth)
    half = error * exponent * abs(math.log(growth))
    if abs(log_value) + half > LARGEST:
        raise InputError(
            f"an exponent of {exponent:g} over a growth of {growth:g} leads beyond floats; look at "
            "both"
        )
    return _around(anchor * growth**exponent, half)


def _around(value: float, half: float) -> Estimate:
    if half == 0:
        return Estimate(value)
    return Estimate(value, value * math.exp(-half), value * math.exp(half), LEVEL)


def _times(estimate: Estimate, factor: float) -> Estimate:
    low, high = (None if end is None else end * factor for end in (estimate.low, estimate.high))
    return Estimate(estimate.value * factor, low, high, estimate.level)


def _convert(loss: Estimate, unit: str, ratios: tuple[Ratio, ...]) -> Estimate:
    return _times(loss, convert_units(1.0, "nats/token", unit, ratios=ratios))
