"""A warm-up that is too long for the shortest runs of a ladder.

A constant warm-up is a growing share of shorter runs, which end worse for it: fits then take small
budgets for worse than they are, and the optimum's exponent comes out too large (Porian et al.
2024, the second of their corrections of Kaplan's).
"""

from collections.abc import Iterator

from isoflop.runs.finding import Finding
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.settle import settle_recipe, warmup_steps

MOST_SHARE = 0.05
"""Of a run's steps. At 976 steps, warm-ups of 2, 5 and 20 % ended within .01 nats of each other,
of 51 and 80 % .08 and .12 nats above (docs/LOG.md)."""


def check_warmup(ladder: Ladder) -> list[Finding]:
    """Return one finding if runs of a ladder warm up for more than `MOST_SHARE` of their steps.

    >>> from isoflop.accounting.architecture import Architecture
    >>> from isoflop.runs.recipes import RECIPES
    >>> shape = Architecture(n_layer=2, d_model=16, n_ctx=64, n_vocab=256)
    >>> ladder = Ladder("demo", "sotu", "bytes", (Rung("d16", shape, 1, (1_048_576,)),))
    >>> check_warmup(ladder)
    []
    """
    long = [each for rung in ladder.rungs for each in _long_warmups(rung, ladder)]
    if not long:
        return []
    share, rung, steps, end = max(long)
    return [
        Finding(
            code="long-warmup",
            severity="warning",
            evidence=f"{rung}: {steps:,} of {end:,} steps are warm-up ({100 * share:.0f} %); "
            f"more than {100 * MOST_SHARE:g} % in {len(long)} of the ladder's budgets",
            consequence="short runs end worse than they could: the optimum's exponent comes out "
            "too large, as it did in Kaplan's",
            remedy='leave out warmup_rule, or set it to "share" with warmup_fraction at most '
            f"{MOST_SHARE:g}; or train longer",
            runs=tuple(dict.fromkeys(name for _, name, _, _ in long)),
        )
    ]


def _long_warmups(rung: Rung, ladder: Ladder) -> Iterator[tuple[float, str, int, int]]:
    """Yield (share, rung, steps, end) of every budget whose warm-up is too long."""
    recipe = settle_recipe(ladder.recipe, rung)
    ends = [max(1, round(budget / recipe.batch_tokens)) for budget in rung.token_budgets]
    for end in ends:
        steps = warmup_steps(recipe, rung, end if recipe.schedule == "cosine" else ends[0])
        # Rounded to whole steps, and one at least, a share of 5 % may come out above it.
        if steps > max(1.0, MOST_SHARE * end + 0.5):
            yield min(1.0, steps / end), rung.name, steps, end
