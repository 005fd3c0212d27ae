"""Units of compute: PF-days and other multiples, recognised by C/6ND.

Legend: N parameters, D tokens, C FLOPs.
"""

import numpy as np

from isoflop.runs.table import RunTable

UNITS = {
    "gigaFLOPs": 1e9,
    "teraFLOPs": 1e12,
    "petaFLOPs": 1e15,
    "TF-days (teraFLOP/s for a day)": 8.64e16,
    "exaFLOPs": 1e18,
    "PF-days (petaFLOP/s for a day)": 8.64e19,
    "zettaFLOPs": 1e21,
    "EF-days (exaFLOP/s for a day)": 8.64e22,
    "yottaFLOPs": 1e24,
}
"""{unit: FLOPs of one}; Kaplan et al. 2020 print PF-days."""
NEAR = float(np.log10(2.5))
"""Decades by which C/6ND may miss a unit: half the way from one to its nearest neighbour, 11.6
times as large, and most of what embeddings and attention make."""


def flops_unit(table: RunTable) -> tuple[str, float] | None:
    """Find the unit that brings recorded FLOPs to 6ND in the middle, None if none does.

    Args:
        table: runs; nothing is found without `n_params`, `n_tokens` and `flops`.

    >>> runs = [{"n_params": 1e9, "n_tokens": d, "flops": 6e9 * d / 8.64e19} for d in (2e10, 4e10)]
    >>> flops_unit(RunTable.from_records(runs))
    ('PF-days (petaFLOP/s for a day)', 8.64e+19)
    """
    if not {"n_params", "n_tokens", "flops"} <= set(table.columns):
        return None
    N, D, C = (table.numbers(name) for name in ("n_params", "n_tokens", "flops"))
    known = (N > 0) & (D > 0) & (C > 0) & np.isfinite(N * D * C)
    if not known.any():
        return None
    off = float(np.median(np.log10(6 * N[known] * D[known] / C[known])))
    name, size = min(UNITS.items(), key=lambda unit: abs(off - np.log10(unit[1])))
    return (name, size) if abs(off - np.log10(size)) < NEAR else None


def looks_like_unit(table: RunTable) -> str:
    """Say which unit FLOPs seem to be in and what to do; "" if none explains them."""
    unit = flops_unit(table)
    return f"C/6ND is that of {unit[0]}: multiply `flops` by {unit[1]:.3g}" if unit else ""
