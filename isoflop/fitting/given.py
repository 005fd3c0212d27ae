"""What a fit does not estimate: constants held by the user, and quantities the form itself sets."""

import numpy as np

from isoflop.laws.fixed import FixedLaw
from isoflop.laws.law import AbstractLaw, Array

HELD = "held"
BY_HELD = "by the constants held"
BY_FORM = "by form"
NUDGE = 1e-3


def held_constants(law: AbstractLaw) -> dict[str, float]:
    """Return the constants a law has been given, {} for a law that is free."""
    return dict(law.values) if isinstance(law, FixedLaw) else {}


def given_quantities(law: AbstractLaw, theta: Array) -> dict[str, str]:
    """Find what does not move with the constants fitted, and say what sets it instead.

    Args:
        law: the law.
        theta: (p,) the constants fitted.

    Returns:
        {name of a derived quantity: "held", "by the constants held" or "by form"}.

    >>> from isoflop.laws.over_training import OverTrainingLaw
    >>> given_quantities(OverTrainingLaw(), np.array([1.8, 100.0, 140.0, 0.18]))
    {'a': 'by form', 'b': 'by form'}
    """
    still = _unmoved(law, theta)
    if not isinstance(law, FixedLaw):
        return dict.fromkeys(still, BY_FORM)
    by_form = _unmoved(law.law, law.complete(theta))
    held = held_constants(law)
    own = law.law.derive(law.complete(theta))
    return {
        name: HELD if name in held and name not in own else BY_FORM if name in by_form else BY_HELD
        for name in still
    }


@np.errstate(all="ignore")
def _unmoved(law: AbstractLaw, theta: Array) -> list[str]:
    """Derived quantities that stay as they are, to the bit, when every constant moves."""
    step = 1 + NUDGE * np.arange(1, len(theta) + 1)
    found = [law.derive(vector) for vector in (theta, theta * step + 1e-9, theta / step - 1e-9)]
    values = {name: [float(each[name]) for each in found] for name in found[0]}
    return [name for name, (first, *others) in values.items() if set(others) == {first}]
