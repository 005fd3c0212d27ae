"""The catalog: laws whose constants were published, by name."""

from collections.abc import Mapping

import numpy as np

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.base.estimate import Estimate
from isoflop.laws.published import (
    besiroglu_2024,
    brown_2020,
    clark_2022,
    deepseek_2024,
    gadre_2024,
    henighan_2020,
    hernandez_2021,
    hoffmann_2022,
    kaplan_2020,
    kaplan_2020_rules,
    kaplan_2020_theory,
    krajewski_2024,
    li_2025,
    luo_2025,
    muennighoff_2023,
    pearce_2024,
    sardana_2024,
    tao_2024,
)
from isoflop.laws.published.entry import UNITS, PublishedLaw

__all__ = [
    "CATALOG",
    "PublishedLaw",
    "find_published",
    "predict_published",
    "published_names",
    "rounding_warning",
]

CATALOG: Mapping[str, PublishedLaw] = {
    entry.name: entry
    for paper in (
        kaplan_2020,
        kaplan_2020_rules,
        kaplan_2020_theory,
        brown_2020,
        henighan_2020,
        hernandez_2021,
        hoffmann_2022,
        muennighoff_2023,
        besiroglu_2024,
        gadre_2024,
        sardana_2024,
        clark_2022,
        krajewski_2024,
        tao_2024,
        pearce_2024,
        luo_2025,
        li_2025,
        deepseek_2024,
    )
    for entry in paper.ENTRIES
}
"""{name: entry}, in order of the papers."""


def published_names() -> tuple[str, ...]:
    """Return the names `find_published` knows, in the order of the docs.

    >>> published_names()[0]
    'kaplan-2020-l-n'
    """
    return tuple(CATALOG)


def find_published(name: str) -> PublishedLaw:
    """Return the published law of that name.

    Args:
        name: such as `besiroglu-2024`; case, `_` and blanks around it are forgiven.

    Raises:
        UnknownNameError: nobody by that name; suggests the nearest.

    >>> find_published("Hoffmann_2022").source
    'Hoffmann et al. 2022 (arXiv 2203.15556), eq. 10'
    """
    key = name.strip().lower().replace("_", "-")
    if key not in CATALOG:
        raise UnknownNameError("published law", name, CATALOG)
    return CATALOG[key]


def predict_published(entry: PublishedLaw, inputs: Mapping[str, float]) -> Estimate:
    """Evaluate a published law at one point.

    Args:
        entry: the law.
        inputs: {variable: value} in base units (parameters, tokens, FLOPs, steps, nats), for
            instance `{"flops": 1e24}` even where the paper prints PF-days; variables that the law
            does not read are an error, never ignored.

    Returns:
        What `entry.predicts` says, in the unit of `entry.units`; without an interval, as the
        catalog's papers print no covariance of their constants.

    Raises:
        InputError: a variable is missing, unknown to the law, or not positive and finite.

    >>> print(predict_published(find_published("kaplan-2020-l-cmin"), {"flops": 3.14e23}))
    1.76
    """
    wanted, found = set(entry.law.variables), set(inputs)
    if wanted != found:
        raise InputError(
            f"{entry.name} predicts {entry.predicts} from {', '.join(entry.law.variables)}; "
            f"found {', '.join(sorted(found)) or 'nothing'}"
        )
    for name, value in inputs.items():
        if not np.isfinite(value) or value <= 0:
            raise InputError(f"{name} must be positive and finite in {UNITS[name]}, found {value}")
    variables = {name: np.array([value], dtype=np.float64) for name, value in inputs.items()}
    return Estimate(float(entry.law.predict(entry.theta, variables)[0]))


def rounding_warning(entry: PublishedLaw) -> str | None:
    """Return one sentence where the constants were printed rounded, None where they were not.

    >>> rounding_warning(find_published("besiroglu-2024")) is None
    True
    >>> print(rounding_warning(find_published("kaplan-2020-l-n")))
    kaplan-2020-l-n is rounded: its constants are printed to two or three digits.
    """
    return f"{entry.name} is rounded: {entry.rounding}." if entry.rounded else None
