"""What is wrong with a bracket: rungs whose best rate lies at its edge."""

import math
from collections.abc import Sequence

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.runs.brackets.valley import Bracket, Place
from isoflop.runs.finding import Finding

_REMEDIES: dict[Place, str] = {
    "lowest rate": "try lower rates: halve the rate of this rung, or of the recipe",
    "highest rate": "try higher rates: double the rate of this rung, or of the recipe",
    "beside divergence": "try rates between the best and the one that diverged (--ratio 1.4), "
    "or a longer warm-up",
    "no bottom": "use more seeds or a wider ratio: what lies between the rates is noise",
}


def check_brackets(brackets: Sequence[Bracket]) -> list[Finding]:
    """Return one finding per rung whose learning rate is not bracketed."""
    return [
        Finding(
            code="lr-at-bracket-edge",
            severity="warning",
            evidence=f"{b.rung}: best of {len(b.lrs)} rates is {shorten(b.lr)}, "
            f"{_says(b)}, at {b.n_tokens:,} tokens",
            consequence="this rung may be under-tuned: its loss is too high by an unknown amount, "
            "which a fit takes for an effect of size",
            remedy=_REMEDIES[b.place],
            runs=(b.rung,),
        )
        for b in brackets
        if b.place != "inside"
    ]


def rate_exponent(brackets: Sequence[Bracket]) -> float | None:
    """Return q of η* ∝ N^q over the bracketed rungs; None with fewer than two sizes.

    Near 0 the rule of the recipe transfers; a rule fitted at one size and used at all others
    should have about this exponent taken out.
    """
    inside = [(b.n_params, b.lr) for b in brackets if b.place == "inside"]
    if len({n_params for n_params, _ in inside}) < 2:
        return None
    x, y = np.log(np.array(inside, dtype=np.float64)).T
    slope = np.polyfit(x - x.mean(), y, 1)[0]
    return float(slope) if math.isfinite(slope) else None


def _says(bracket: Bracket) -> str:
    if bracket.place == "no bottom":
        return "with no bottom between the rates"
    beside = bracket.place == "beside divergence"
    return "the last before divergence" if beside else f"the {bracket.place} tried"
