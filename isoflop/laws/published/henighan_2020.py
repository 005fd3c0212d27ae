"""Henighan et al. 2020: Table 1, language, images, video and mathematics in one form.

Legend: L = L_inf + (x_0/x)^alpha with x = N parameters or C PF-days; N_opt = (C/c)^e. Losses are
nats per token of the domain, 192 tokens to an 8x8 image, 256 to one of 16x16 VQ codes.
"""

import math
from dataclasses import dataclass

import numpy as np

from isoflop.base.units import from_pf_days
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.infogain import InfogainLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.laws.published.entry import PublishedLaw, decay_theta

SOURCE = "Henighan et al. 2020 (arXiv 2010.14701), Table 1"
CONVENTION = "N non-embedding (from memory, unverified); C = 6NE in PF-days, batch not adjusted"
ROUNDING = "its constants are printed to two or three digits"

Decay = tuple[float, float, float]
"""(L_inf, x_0, alpha) as printed; x_0 in parameters or PF-days."""


@dataclass(frozen=True)
class Row:
    """One row of Table 1.

    Args:
        domain: part of the entries' names.
        by_params: L_inf, N_0, alpha.
        by_compute: L_inf, C_0, alpha with C_0 in PF-days, or None where the cell is empty.
        n_opt: c in PF-days and e, or None.
        note: caveat on the whole row.
        compute_note: caveat on the law in compute.
    """

    domain: str
    by_params: Decay
    by_compute: Decay | None = None
    n_opt: tuple[float, float] | None = None
    note: str = ""
    compute_note: str = ""


PAIR = "Text and image have one compute trend, of their combined loss, printed on the image's row."
MISPRINT = (
    "Table 3 prints C_0 1.9e3 per image for 8x8; this row times 192 tokens gives 1.87e4, ten times "
    "that, while the other four resolutions agree: a probable misprint there."
)
EXTRAPOLATED = "The extrapolation set: problems harder than those trained on."

TABLE_1 = (
    Row("language", (0, 1.47e14, 0.070), (0, 3.47e8, 0.048), (3.3e-13, 0.73)),
    Row(
        "image-8x8",
        (3.12, 8.0e1, 0.24),
        (3.13, 1.8e-8, 0.19),
        (5.3e-14, 0.64),
        compute_note=MISPRINT,
    ),
    Row("image-16x16", (2.64, 2.8e2, 0.22), (2.64, 1.6e-8, 0.16), (4.8e-12, 0.75)),
    Row("image-32x32", (2.20, 6.3e1, 0.13), (2.21, 3.6e-9, 0.10), (1.6e-13, 0.65)),
    Row("vq-16x16", (3.99, 2.7e4, 0.13), (4.09, 6.1e-7, 0.11), (6.2e-14, 0.64)),
    Row("vq-32x32", (3.07, 1.9e4, 0.14), (3.17, 2.6e-6, 0.12), (9.4e-13, 0.70)),
    Row("text-to-image-text", (0, 5.6e8, 0.037), note=PAIR),
    Row(
        "text-to-image-image",
        (2.0, 5.1e3, 0.16),
        (1.93, 1.5e-6, 0.15),
        (9.4e-13, 0.70),
        compute_note=PAIR,
    ),
    Row("image-to-text-text", (0, 7.0e8, 0.039), note=PAIR),
    Row(
        "image-to-text-image",
        (2.0, 5.5e3, 0.15),
        (1.97, 1.5e-6, 0.16),
        (3.3e-12, 0.72),
        compute_note=PAIR,
    ),
    Row("video-vq", (1.01, 3.7e4, 0.24), (0.95, 2.2e-5, 0.14), (1.13e-12, 0.71)),
    Row("math", (0.28, 1.1e4, 0.16), (0.14, 1.4e-5, 0.17), (2.3e-12, 0.69), EXTRAPOLATED),
)


def _loss(row: Row, decay: Decay, variable: str) -> PublishedLaw:
    """L(N) or L(C); a pure power law where the printed L_inf is zero."""
    L_inf, x_0, alpha = decay
    is_compute = variable == "flops"
    theta = decay_theta(from_pf_days(x_0) if is_compute else x_0, alpha)
    letter = "C" if is_compute else "N"
    return PublishedLaw(
        name=f"henighan-2020-{row.domain}-l-{letter.lower()}",
        law=PowerConstantLaw(variable) if L_inf else PowerLaw(variable),
        theta=np.array([L_inf, *theta]) if L_inf else theta,
        predicts="loss",
        convention=CONVENTION,
        source=SOURCE,
        printed={"L_inf": L_inf, f"{letter}_0": x_0, "alpha": alpha},
        printed_units={
            "L_inf": "nats/token",
            f"{letter}_0": "PF-days" if is_compute else "parameters",
        },
        rounding=ROUNDING,
        note=row.compute_note or row.note if is_compute else row.note,
    )


def _n_opt(row: Row, c: float, e: float) -> PublishedLaw:
    """N_opt = (C/c)^e."""
    return PublishedLaw(
        name=f"henighan-2020-{row.domain}-n-opt",
        law=GrowthLaw("flops"),
        theta=np.array([math.exp(-e * math.log(from_pf_days(c))), e]),
        predicts="n_params",
        convention=CONVENTION,
        source=SOURCE,
        printed={"c": c, "e": e},
        printed_units={"c": "PF-days"},
        rounding=ROUNDING,
        note=row.note,
    )


def _entries(row: Row) -> list[PublishedLaw]:
    found = [_loss(row, row.by_params, "n_params")]
    if row.by_compute is not None:
        found.append(_loss(row, row.by_compute, "flops"))
    if row.n_opt is not None:
        found.append(_n_opt(row, *row.n_opt))
    return found


INFOGAIN = PublishedLaw(
    name="henighan-2020-text-to-image-infogain",
    law=InfogainLaw(),
    theta=np.array([(0.20 - 0.10) / math.log(3e12 / 1e9), 1e9 / 3000]),
    predicts="infogain",
    convention=CONVENTION,
    source="Henighan et al. 2020 (arXiv 2010.14701), text to image",
    printed={"infogain_1": 0.10, "N_1": 1e9, "infogain_2": 0.20, "N_2": 3e12},
    printed_units={"N_1": "parameters", "N_2": "parameters"},
    rounding="its two points are printed to one digit",
    note="The paper plots lam and N_c without printing them; these, .0125 and 3.3e5, follow from "
    "the two sizes it names. Measured after fine-tuning with half the images blanked; without that "
    "the gain looks twice as large.",
)

ENTRIES = (*(entry for row in TABLE_1 for entry in _entries(row)), INFOGAIN)
