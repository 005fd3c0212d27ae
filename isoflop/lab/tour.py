"""The default ladder: an IsoFLOP design sized to a number of minutes.

Budgets grow by 1.9. Each budget has five widths, centred on the width expected to be optimal, so
that its valley has two points on either side of the bottom; a width's trunk serves every budget it
is in. The evidence for every number here is in docs/tour-design.md.
"""

import math
from dataclasses import dataclass

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.base.errors import InputError
from isoflop.lab.engines.probe import Probe, probe_machine
from isoflop.lab.price.cost import ladder_seconds
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung

_WIDTHS = (4, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512)
"""Widths about a factor 2 apart in parameters, or closer."""
_VALLEY = 2
"""Widths on either side of the expected optimum."""
_LARGEST_FLOPS = 1.0e12
"""Largest budget of level 0, FLOPs per run: about five minutes on two cores of 2024."""
_BUDGET_RATIO = 1.9
"""From one budget to the next; with 2 the smallest budget would need D below .4M bytes."""
_WIDTH_FLOPS, _WIDTH_THERE, _WIDTH_EXPONENT = 1.2e12, 50.0, 0.34
"""Expected optimal width = 50·(C/1.2e12)^0.34, measured between 3e10 and 1e12."""


@dataclass(frozen=True)
class Level:
    """One size of the tour.

    Args:
        number: largest budget = 1e12 · 2^number FLOPs.
        budgets: how many, each the next one over 1.9.
        seeds: models per width.
        evaluation_tokens: held-out tokens of a final loss.
    """

    number: int
    budgets: int
    seeds: int
    evaluation_tokens: int = 131_072

    @property
    def flops(self) -> tuple[float, ...]:
        """The budgets, FLOPs per run, ascending."""
        largest = _LARGEST_FLOPS * 2.0**self.number
        return tuple(largest / _BUDGET_RATIO**i for i in reversed(range(self.budgets)))


LEVELS = (
    Level(-7, 3, 1, 32_768),
    Level(-5, 3, 1, 32_768),
    Level(-3, 3, 2),
    Level(-2, 3, 2),
    Level(-1, 3, 2),
    Level(0, 4, 2),
    Level(1, 5, 2),
    Level(2, 5, 2),
    Level(3, 6, 2),
    Level(4, 6, 2),
    Level(5, 6, 2),
    Level(6, 6, 2),
    Level(7, 6, 2),
)
"""Sizes of the tour, ascending. The third is the smallest whose law is worth reading; the last
reads the embedded text up to 3.3 times, about as far as repeats count as fresh (Muennighoff et
al. 2023)."""


def tour_ladder(minutes: float = 6.0, device: str = "cpu", probe: Probe | None = None) -> Ladder:
    """Design the largest ladder whose predicted training time is within `minutes`.

    Levels are a factor two apart, so that the same machine gets the same one every time.

    Args:
        minutes: wall-clock allowed for training.
        device: `cpu` or `cuda`.
        probe: what is known of the machine; measured if not given.

    Raises:
        InputError: minutes not positive.

    >>> probe = Probe("cpu", "bfloat16", 3e11, 2)
    >>> len(tour_ladder(6, probe=probe).rungs)
    8
    """
    if not (math.isfinite(minutes) and minutes > 0):
        raise InputError(f"minutes is {minutes}, expected a positive number")
    probe = probe or probe_machine(device)
    chosen = level_ladder(LEVELS[0])
    for level in LEVELS[1:]:
        ladder = level_ladder(level)
        if ladder_seconds(ladder, probe.flop_per_s, probe.workers) > 60 * minutes:
            break
        chosen = ladder
    return chosen


def level_ladder(level: Level) -> Ladder:
    """Lay out one level.

    >>> [rung.name for rung in level_ladder(Level(0, 4, 2)).rungs]
    ['d12', 'd16', 'd24', 'd32', 'd40', 'd48', 'd64', 'd80']
    """
    recipe = _recipe(level)
    served: dict[int, list[int]] = {}
    for flops in level.flops:
        for width in _valley(flops):
            tokens = flops / flops_per_token(_shape(width)).matmul
            steps = round(tokens / recipe.batch_tokens)
            served.setdefault(width, []).append(steps * recipe.batch_tokens)
    rungs = tuple(
        Rung(f"d{width}", _shape(width), level.seeds, tuple(served[width]))
        for width in sorted(served)
    )
    points = min(16_384, level.evaluation_tokens)
    evaluation = Evaluation(tokens=level.evaluation_tokens, curve_tokens=points)
    name = f"tour-{level.flops[-1]:.1e}".replace("e+", "e")
    return Ladder(name, "sotu", "bytes", rungs, recipe, evaluation, seed=0)


def _valley(flops: float) -> tuple[int, ...]:
    """Return the widths of one budget."""
    expected = _WIDTH_THERE * (flops / _WIDTH_FLOPS) ** _WIDTH_EXPONENT
    nearest = min(range(len(_WIDTHS)), key=lambda i: abs(math.log(_WIDTHS[i] / expected)))
    first = min(max(0, nearest - _VALLEY), len(_WIDTHS) - 2 * _VALLEY - 1)
    return _WIDTHS[first : first + 2 * _VALLEY + 1]


def _shape(width: int) -> Architecture:
    """Two layers and two heads at every width, so that width is all that changes."""
    return Architecture(
        n_layer=2,
        d_model=width,
        n_head=2,
        n_ctx=64,
        n_vocab=256,
        tied=False,
        positions="rotary",
    )


def _recipe(level: Level) -> Recipe:
    """Batch of 256 tokens, growing as the cube root of compute; the rate follows its root."""
    doublings = max(0, level.number // 3)
    return Recipe(
        batch_tokens=256 * 2**doublings,
        lr=0.004 * 2 ** (doublings / 2),
        warmup_fraction=0.05,
    )
