"""What a token costs: 6N, plus what grows as the width does.

Legend: N parameters, D tokens, C FLOPs. At fixed depth and context, N grows as width² while the
output head and the attention scores grow as width, so C/D = 6N + c·sqrt(N). Large models have
c·sqrt(N) ≪ 6N and C = 6ND; toy models do not, and their optimum moves with it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.runs.table import RunTable

Array = NDArray[np.float64]
NEGLIGIBLE = 0.01
"""Largest share of the smallest model's cost that may be left out: then C = 6ND."""


@dataclass(frozen=True)
class TokenCost:
    """Training FLOPs per token as a function of size.

    Args:
        per_root: c of C/D = 6N + c·sqrt(N), FLOPs per token per sqrt(parameter); 0 for C = 6ND.

    >>> TokenCost().flops_per_token(np.array([1e9]))
    array([6.e+09])
    """

    per_root: float = 0.0

    def flops_per_token(self, n_params: Array) -> Array:
        """FLOPs per token at each size, same shape."""
        return 6 * n_params + self.per_root * np.sqrt(n_params)

    def __str__(self) -> str:
        return "C = 6ND" if self.per_root == 0 else f"C = (6N + {self.per_root:.3g}·√N)·D"


def fit_cost(table: RunTable) -> TokenCost:
    """Measure c on the runs' own compute, by least squares of relative error; never negative.

    >>> rows = [{"n_params": n, "n_tokens": 1e6, "flops": 6e6 * n, "loss": 2} for n in (1e4, 1e6)]
    >>> fit_cost(RunTable.from_records(rows)).per_root
    0.0
    """
    if not {"n_params", "n_tokens", "flops"} <= set(table.columns):
        return TokenCost()
    N, D, C = (table.numbers(name) for name in ("n_params", "n_tokens", "flops"))
    known = np.isfinite(N * D * C)
    if not known.any():
        return TokenCost()
    N, per_token = N[known], (C / D)[known]
    excess, root = (per_token - 6 * N) / per_token, np.sqrt(N) / per_token
    per_root = float(excess @ root / (root @ root))
    share = per_root * np.max(np.sqrt(N) / per_token)
    return TokenCost(per_root if share > NEGLIGIBLE else 0.0)
