"""What a score may be a straight line in: the score, its logit, the logarithm of its error.

Legend: s score as a share, x the size. All are `LogarithmLaw` on a transformed score, so that the
engine fits them; the broken power law is fitted to the error 1 - s itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.laws.broken import BrokenLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.logarithm import LogarithmLaw


@dataclass(frozen=True)
class ScoreForm:
    """One way to continue scores.

    Args:
        name: such as logit.
        formula: of the score s in the size x.
        law: the law of the transformed score, made with the column of the size.
        transform: of shares, (n,) to (n,).
        rises: whether the transformed score rises with the score.
        scale: scale of its residuals.
        open_below: whether a score of 0 has no place in it.
        open_above: whether a score of 1 has none.
    """

    name: str
    formula: str
    law: Callable[[str], AbstractLaw]
    transform: Callable[[Array], Array]
    rises: bool = True
    scale: Literal["log", "linear"] = "linear"
    open_below: bool = False
    open_above: bool = False

    @property
    def is_straight(self) -> bool:
        """Whether it is a straight line in log size."""
        return self.law is LogarithmLaw

    def usable(self, share: Array) -> NDArray[np.bool_]:
        """Which scores have a place in it, (n,) bool."""
        lost = (share <= 0) & self.open_below | (share >= 1) & self.open_above
        return np.asarray(~lost, dtype=bool)


def _same(share: Array) -> Array:
    return share


def _logit(share: Array) -> Array:
    return np.log(share) - np.log1p(-share)


def _log_error(share: Array) -> Array:
    return -np.log1p(-share)


def _error(share: Array) -> Array:
    return 1 - share


def _log_surprise(share: Array) -> Array:
    return -np.log(-np.log(share))


SCORE_FORMS: Mapping[str, ScoreForm] = {
    form.name: form
    for form in (
        ScoreForm("linear", "s = a + b·ln x", LogarithmLaw, _same),
        ScoreForm("logit", "ln(s/(1-s)) = a + b·ln x", LogarithmLaw, _logit, open_below=True,
                  open_above=True),
        ScoreForm("power-error", "1 - s = A/x^alpha", LogarithmLaw, _log_error, open_above=True),
        ScoreForm("bnsl", BrokenLaw("x").form.join(("1 - s = ", "")), BrokenLaw, _error,
                  rises=False, scale="log", open_above=True),
    )
}  # fmt: skip
"""The forms held side by side, by name."""

SURPRISE = ScoreForm(
    "exact-match", "s = exp(-A/x^alpha)", LogarithmLaw, _log_surprise, open_below=True,
    open_above=True,
)  # fmt: skip
"""Schaeffer et al. 2023: K tokens are all right with chance p^K, p = exp(-(x/c)^-alpha) a token."""
