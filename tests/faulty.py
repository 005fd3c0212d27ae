"""Run tables with one planted fault, without noise unless asked; the design behind trust's numbers.

Legend: N parameters, D tokens, C = 6ND FLOPs, L loss. Seven budgets 1e17..1e20, nine sizes within
±8x of the optimum, Besiroglu's surface with a = .5126, plans at 1e22 FLOPs.
"""

from typing import Any

import numpy as np

from benchmarks._planted import SURFACES, Array, chinchilla, isoflop
from isoflop.plan.checkup.diagnosis import Diagnosis
from isoflop.plan.checkup.examine import Checkup, check_runs

EPOCH = SURFACES["epoch"]
TRUE_A = EPOCH[4] / (EPOCH[3] + EPOCH[4])
LADDER = isoflop(8.0, budgets=np.geomspace(1e17, 1e20, 7))
TARGET = 1e22

Rows = list[dict[str, Any]]


def ladder() -> tuple[Array, Array, Array]:
    """N, D and L of the clean ladder."""
    N, D = LADDER(EPOCH)
    return N, D, chinchilla(EPOCH, N, D)


def rows(N: Array, D: Array, L: Array, **columns: Any) -> Rows:
    """Rows of a table; a column may be one value for all, None leaves one out."""
    table = {"n_params": N, "n_tokens": D, "flops": 6 * N * D, "loss": L, **columns}
    spread = {
        name: [value] * len(N) if isinstance(value, str | float) else list(value)
        for name, value in table.items()
        if value is not None
    }
    return [{name: values[k] for name, values in spread.items()} for k in range(len(N))]


def noisy(L: Array, size: float = 0.005, seed: int = 0) -> Array:
    """Losses with relative noise."""
    return L * np.exp(size * np.random.default_rng(seed).standard_normal(len(L)))


def find(table: Rows, code: str, *, flops: float | None = None) -> Diagnosis:
    """The one finding of a code; fails where there is none."""
    found = [each for each in check_runs(table, flops=flops).findings if each.code == code]
    assert len(found) == 1, [each.code for each in check_runs(table, flops=flops).findings]
    return found[0]


def codes(table: Rows | Checkup, *, flops: float | None = None) -> set[str]:
    """Codes of everything found."""
    checkup = table if isinstance(table, Checkup) else check_runs(table, flops=flops)
    return {each.code for each in checkup.findings}
