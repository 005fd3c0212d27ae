"""The designs: what each table of a ladder file says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from isoflop.runs.designs.dial import Dial


@dataclass(frozen=True)
class DepthLadder:
    """`[depth]`: sizes by their number of layers, every one at the same tokens per parameter.

    Args:
        dial: sizes.
        tokens_per_param: every size is trained once for each of these numbers, on D = number · N
            tokens; N leaves out embedding tables and counts the output head (as nanochat does).
    """

    dial: Dial
    tokens_per_param: tuple[float, ...] = (20.0,)


@dataclass(frozen=True)
class IsoflopGrid:
    """`[isoflop]`: several sizes at each compute budget, D = C / FLOPs of a token.

    Args:
        dial: sizes.
        budgets: FLOPs of one run, exact matmul count.
        sizes_per_budget: so many sizes around the one nearest to `tokens_per_param`; 0 is all.
        tokens_per_param: where the bottom of every valley is expected; all parameters count.
    """

    dial: Dial
    budgets: tuple[float, ...]
    sizes_per_budget: int = 0
    tokens_per_param: float = 20.0


@dataclass(frozen=True)
class TokenGrid:
    """`[grid]`: every size at every number of tokens, as Kaplan et al. 2020 trained for L(N, D).

    Args:
        dial: sizes.
        token_budgets: tokens of a run.
    """

    dial: Dial
    token_budgets: tuple[int, ...]


@dataclass(frozen=True)
class ProposedRuns:
    """`[design]`: runs that a planner asks for, each at the nearest shape.

    Args:
        dial: shapes; its widths and depths are left out. `n_layer` 0 takes the depth from
            `aspect`.
        runs: (n_params, n_tokens) of every run; one that stands there twice has two seeds.
        counting: which parameters `n_params` counts.
        width_step: widths are multiples of it.
    """

    dial: Dial
    runs: tuple[tuple[float, float], ...]
    counting: Literal["total", "non_embedding"] = "total"
    width_step: int = 8


Design: TypeAlias = DepthLadder | IsoflopGrid | TokenGrid | ProposedRuns
DESIGNS: Mapping[str, type[Design]] = {
    "depth": DepthLadder,
    "isoflop": IsoflopGrid,
    "grid": TokenGrid,
    "design": ProposedRuns,
}
"""Designs by the name of their table."""


def table_name(design: Design) -> str:
    """Return the name of a design's table."""
    return next(name for name, kind in DESIGNS.items() if isinstance(design, kind))
