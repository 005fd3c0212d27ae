"""The century slides' numbers, printed beside recomputed, and why they differ.

Each recomputed number follows from the laws and the slides' own inputs; none is copied. The
statements are those of Caballero's slides on extrapolating GPT-3 by a factor of 1e12.
"""

from dataclasses import dataclass
from typing import Literal

from isoflop.accounting.conversion import convert_units
from isoflop.accounting.ratios import find_ratios
from isoflop.base.units import PF_DAY, from_pf_days, to_pf_days
from isoflop.laws.catalog import find_published
from isoflop.plan.forecast.century import Century, CenturySpec, forecast_century, loss_at

Verdict = Literal["agrees", "rounded", "wrong", "implied"]

SLIDES = CenturySpec(growth=1e12, exponent_error=0.0)
"""The slides' inputs: 1e12 dollars at 1e24 FLOPs a dollar, taken for 1e12 times GPT-3."""
WORDS_TYPED = 3.3333333e14
"""2e15 bytes at 6 bytes a word, as typed on the slide: eight threes."""
SHANNON = (0.6, 1.3)
"""Shannon's bounds on printed English, bits per character."""
BRAIN = {"flops": 2.9e24, "words": 1e10, "n_params": 4e13}
"""A lifetime's FLOPs and words, and parameters for language, as the slides' ratios imply."""


@dataclass(frozen=True)
class AuditRow:
    """One statement of the slides.

    Args:
        what: the quantity.
        printed: as the slides have it.
        recomputed: by the laws and the slides' inputs.
        unit: of the recomputed number.
        digits: significant digits it is shown with.
        verdict: agrees, rounded, wrong, or implied where nothing was printed to compare with.
        why: why they differ, or what the number rests on.
    """

    what: str
    printed: str
    recomputed: float
    unit: str
    verdict: Verdict
    why: str
    digits: int = 4

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return dict(vars(self))


def audit_slides(spec: CenturySpec = SLIDES) -> tuple[AuditRow, ...]:
    """Recompute every number of the century slides.

    Args:
        spec: the inputs, the slides' own by default; laws and ratios are read from it too.

    >>> {row.what: f"{row.recomputed:.4g}" for row in audit_slides()}["parameters"]
    '1.007e+20'
    """
    found = forecast_century(spec)
    return (*_amounts(found), *_ratios(found), *_losses(found), *_brain(found))


def _amounts(found: Century) -> tuple[AuditRow, ...]:
    spec, anchor = found.spec, found.spec.anchor
    per_token = found.n_bytes.value / found.n_tokens.value
    return (
        AuditRow("compute", "1e36", found.flops.value, "FLOPs", "agrees",
                 f"{spec.usd:g} dollars at {spec.flops_per_usd:g} FLOPs a dollar"),
        AuditRow("compute", "1e36 FLOPs", found.pf_days.value, "PF-days", "agrees",
                 "8.64e19 FLOPs to the PF-day"),
        AuditRow("GPT-3's data", "1.2e12 bytes", anchor.n_tokens * per_token, "bytes", "agrees",
                 "300B tokens at 4 bytes"),
        AuditRow("data", "2.085e15 bytes", found.n_bytes.value, "bytes", "agrees",
                 "1.2e12 bytes times growth^.27", 4),
        AuditRow("parameters", "<1e20", found.n_params.value, "parameters", "rounded",
                 "1.75e11 times growth^.73: a little above 1e20"),
    )  # fmt: skip


def _ratios(found: Century) -> tuple[AuditRow, ...]:
    spec, anchor = found.spec, found.spec.anchor
    return (
        AuditRow("parameters over GPT-3's", "<6e9", found.n_params.value / anchor.n_params, "times",
                 "wrong", "5.8e8: the exponent is one too high"),
        AuditRow("data over GPT-3's", ">2e3", found.n_tokens.value / anchor.n_tokens, "times",
                 "rounded", "1738, rounded up"),
        AuditRow("compute over GPT-3's", "1e12", found.flops.value / anchor.flops, "times", "wrong",
                 "GPT-3 took 3.14e23 FLOPs, not 1e24; the growth used is 3.2 times too small", 2),
        AuditRow("GPT-3's compute", "3.64e23 FLOPs", from_pf_days(3.64e3), "FLOPs", "wrong",
                 "3.64e3 is PF-days; the exponent of the FLOPs was kept with it", 3),
        AuditRow("Kaplan's crossing C*", "8.64e23 FLOPs", from_pf_days(1e4), "FLOPs", "agrees",
                 f"1e4 PF-days of {PF_DAY:g} FLOPs; constants as printed give 1.12e4 "
                 "(isoflop crossing)", 3),
        AuditRow("data at the crossing", "4e12 bytes",
                 convert_units(1e12, "token", "byte", ratios=find_ratios(spec.ratios).ratios),
                 "bytes", "agrees", "D* = 1e12 tokens at 4 bytes, though Table 6 gives 2.5e11"),
    )  # fmt: skip


def _losses(found: Century) -> tuple[AuditRow, ...]:
    spec = found.spec
    law = find_published(spec.data_law)
    ratios = find_ratios(spec.ratios).ratios
    tokens = convert_units(2e15, "byte", "token", ratios=ratios)
    as_words = loss_at(law, WORDS_TYPED, spec).value
    bits = convert_units(as_words, "nats/token", "bits/token", ratios=ratios)
    per_char = convert_units(as_words, "nats/token", "bits/char", ratios=ratios)
    return (
        AuditRow("loss, words as tokens", "0.84120903154", as_words, "nats/token", "agrees",
                 "L(D) at 2e15 bytes / 6 = 3.3333333e14, which are words", 11),
        AuditRow("loss, tokens", "0.84120903154", loss_at(law, tokens, spec).value, "nats/token",
                 "wrong", "the law counts tokens: 2e15 bytes / 4 = 5e14", 4),
        AuditRow("loss, bytes unrounded", "0.84120903154", found.data_loss.value, "nats/token",
                 "wrong", "2.085e15 bytes / 4 = 5.21e14 tokens", 4),
        AuditRow("loss by compute", "0.84120903154", found.compute_loss.value, "nats/token",
                 "wrong", f"L(C) at {to_pf_days(found.flops.value):.4g} PF-days promises less than "
                 "the data allow: beyond the crossing", 3),
        AuditRow("printed loss in bits", "0.84", bits, "bits/token", "wrong",
                 "the law is in nats; bits are nats / ln 2", 3),
        AuditRow("printed loss a character", "in Shannon's .6 to 1.3", per_char, "bits/char",
                 "wrong", "nats a token were read as bits a character; 10 characters are 3 tokens, "
                 f"and it lies below {SHANNON[0]}", 2),
    )  # fmt: skip


def _brain(found: Century) -> tuple[AuditRow, ...]:
    ratios = find_ratios(found.spec.ratios).ratios
    words = convert_units(found.n_tokens.value, "token", "word", ratios=ratios)
    why = "as the slides' ratios imply; none of the three was verified"
    return (
        AuditRow("compute in lifetimes", f"lifetime {BRAIN['flops']:g} FLOPs",
                 found.flops.value / BRAIN["flops"], "times", "implied", why, 2),
        AuditRow("data in lifetimes", f"lifetime {BRAIN['words']:g} words",
                 words / BRAIN["words"], "times", "implied", why, 2),
        AuditRow("parameters in brains", f"language {BRAIN['n_params']:g} parameters",
                 found.n_params.value / BRAIN["n_params"], "times", "implied", why, 2),
    )  # fmt: skip
