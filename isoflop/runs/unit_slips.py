"""Slips of unit: sizes or tokens in thousands, millions or billions, in some rows or in all.

Legend: N parameters, D tokens, C FLOPs. A slip shows in D/N, which few runs have below .1 or above
1e4, and in C/6ND, which no way of counting brings far from one. Where D/N is as usual and C alone
is off, `flops-disagree` says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.runs.finding import Finding
from isoflop.runs.table import RunTable

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

USUAL = float(np.log10(20.0))
"""log10 D/N that a table without any other hint is held against (Hoffmann 2022)."""
UNUSUAL = (-1.0, 4.0)
"""log10 D/N beyond which some rows are taken for slips, if a gap parts them from the others."""
ABSURD = (-2.0, 6.0)
"""log10 D/N beyond which a whole table is."""
GAP = 1.3
"""Decades of D/N without a run that part two units; one grid of ±8x with five sizes has .9."""
APART = 1.5
"""Decades from which D/N says which of N and D it was."""
NEAR = 0.7
"""Decades by which C/6ND may miss a power of a thousand: embeddings and attention make up to .6."""
LEAST_COMPUTE = 1e11
"""FLOPs below which a typical run was not trained for a law; its N and D are in other units."""
BOTH = 12
"""Power of ten from which N and D are both in millions or billions."""
ALONGSIDE = {
    "n_params": ("n_params_non_embedding", "n_params_with_head", "n_params_vocabulary"),
    "n_tokens": ("n_tokens_unique", "schedule_tokens", "warmup_tokens", "averaged_tokens",
                 "batch_tokens"),
}  # fmt: skip
"""Columns that share the unit of one, if they are about as large or smaller."""
WORDS = {3: "thousands", 6: "millions", 9: "billions"}


@dataclass(frozen=True)
class Slip:
    """Rows in another unit.

    Args:
        columns: what is in it: `n_params`, `n_tokens` or both.
        rows: (n_runs,) where.
        power: the amounts there times 10^power are in the unit of the others.
        seen: how it shows.
    """

    columns: Sequence[str]
    rows: Mask
    power: int
    seen: str

    @property
    def whole(self) -> bool:
        """Whether it is every row."""
        return bool(self.rows.all())

    def finding(self, table: RunTable) -> Finding:
        """What to say of it: an error in some rows, a warning in all."""
        where = "every run" if self.whole else f"{self.rows.sum()} of {len(table)} runs"
        named = " and ".join(f"`{name}`" for name in self.columns)
        unit = WORDS.get(self.power, f"units of 1e{self.power}")
        if len(self.columns) > 1:
            unit = "millions or billions"
        look = "look" if len(self.columns) > 1 else "looks"
        names = [name for name, yes in zip(table.names(), self.rows, strict=True) if yes]
        return Finding(
            code="units-unlikely",
            severity="warning" if self.whole else "error",
            evidence=f"{named} {look} written in {unit} in {where}: {self.seen}",
            consequence="plans and costs would be off by that factor; exponents stay as they are"
            if self.whole
            else "the two kinds of rows lie on different laws, and one fit mixes them",
            remedy=f"write {named} out in full in these rows",
            runs=() if self.whole else tuple(names[:20]),
        )


def find_slips(table: RunTable) -> list[Slip]:
    """Find rows, or all of them, in which N or D is in another unit.

    Args:
        table: runs; nothing is found without `n_params` and `n_tokens` in every one.

    >>> rows = [{"n_params": 1e8, "n_tokens": d, "loss": 3.0} for d in (2e9, 4e9, 2e3, 1e9)]
    >>> [(slip.columns, slip.power) for slip in find_slips(RunTable.from_records(rows))]
    [(('n_tokens',), 6)]
    """
    if not {"n_params", "n_tokens"} <= set(table.columns) or len(table) < 2:
        return []
    N, D = table.numbers("n_params"), table.numbers("n_tokens")
    if not (np.isfinite(N * D).all() and (N > 0).all() and (D > 0).all()):
        return []
    ratio = np.log10(D / N)
    if "flops" in table:
        C = table.numbers("flops")
        if np.isfinite(C).all() and (C > 0).all():
            if not _agree(table):
                return _by_flops(ratio, np.log10(6 * N * D), np.log10(C))
            return _by_gap(ratio) or _of_all(ratio)  # C may be derived from what slipped
    return _by_gap(ratio) or _of_all(ratio) or _too_small(6 * N * D)


def mend_slips(table: RunTable, slips: list[Slip]) -> RunTable:
    """Write out amounts that slipped, where it is known by how much.

    Of a slip of both columns nobody knows how much was whose; of whole tables whose FLOPs agree
    with 6ND, whether D/N is a slip at all.
    """
    for slip in slips:
        agree = _agree(table)
        if len(slip.columns) != 1 or (slip.whole and agree):
            continue
        written, factor = table.numbers(slip.columns[0]), 10.0**slip.power
        for name in (slip.columns[0], *ALONGSIDE[slip.columns[0]], *["flops"] * agree):
            if name in table:
                amounts = table.numbers(name)
                same = slip.rows & ((amounts < np.sqrt(factor) * written) | (name == "flops"))
                table = table.with_column(name, np.where(same, factor * amounts, amounts))
    return table


def _agree(table: RunTable) -> bool:
    """Whether FLOPs are recorded and those of N and D as written, so derived from them."""
    if "flops" not in table:
        return False
    six_nd = 6 * table.numbers("n_params") * table.numbers("n_tokens")
    return bool((np.abs(np.log10(table.numbers("flops") / six_nd)) < NEAR).all())


def _by_flops(ratio: Numbers, six_nd: Numbers, flops: Numbers) -> list[Slip]:
    """Slips that C/6ND shows, row by row; logarithms to base 10."""
    off = flops - six_nd
    power = 3 * np.rint(off / 3).astype(int)
    power[np.abs(off - power) > NEAR] = 0
    others = ratio[power == 0]
    usual = float(np.median(others)) if len(others) else USUAL
    slips = []
    for k in sorted(set(power.tolist()) - {0}):
        rows = power == k
        middle = float(np.median(ratio[rows]))
        columns = _columns(k, middle - usual, float(np.median(six_nd[rows])))
        seen = f"C is {10 ** np.median(off[rows]):.2g} times 6ND, and D/N is {10**middle:.2g}"
        if columns:
            slips.append(Slip(columns, rows, k, seen + _beside(ratio[~rows])))
    return slips


def _columns(power: int, apart: float, six_nd: float) -> tuple[str, ...]:
    """Which of N and D a factor between C and 6ND is in, by what it does to D/N; () for C."""
    small = six_nd < np.log10(LEAST_COMPUTE)
    if power >= BOTH or (power > 0 and abs(apart) < APART and small):
        return ("n_params", "n_tokens")
    if apart * power < 0 and abs(apart) > APART:
        return ("n_tokens",)
    if apart * power > 0 and abs(apart) > APART:
        return ("n_params",)
    return ()


def _by_gap(ratio: Numbers) -> list[Slip]:
    """Some rows whose D/N no other row comes near."""
    order = np.argsort(ratio)
    gaps = np.diff(ratio[order])
    cut = int(np.argmax(gaps))
    low = np.zeros(len(ratio), dtype=bool)
    low[order[: cut + 1]] = True
    below, above = float(np.median(ratio[low])), float(np.median(ratio[~low]))
    power = 3 * round((above - below) / 3)
    if gaps[cut] < GAP or power < 3:
        return []
    if below < UNUSUAL[0] and USUAL - below > above - USUAL:
        seen = f"D/N is {10**below:.2g}{_beside(ratio[~low])}"
        return [Slip(("n_tokens",), low, power, seen)]
    if above > UNUSUAL[1]:
        seen = f"D/N is {10**above:.2g}{_beside(ratio[low])}"
        return [Slip(("n_params",), ~low, power, seen)]
    return []


def _of_all(ratio: Numbers) -> list[Slip]:
    """Every row, where D/N is absurd throughout."""
    middle = float(np.median(ratio))
    if ABSURD[0] <= middle <= ABSURD[1]:
        return []
    name = "n_tokens" if middle < USUAL else "n_params"
    seen = f"D/N is {10**middle:.2g} in the middle, where 20 is usual"
    everyone = np.ones(len(ratio), dtype=bool)
    return [Slip((name,), everyone, 3 * round(abs(USUAL - middle) / 3), seen)]


def _too_small(flops: Numbers) -> list[Slip]:
    """Every row, where nobody would train so little for a law."""
    if np.median(flops) >= LEAST_COMPUTE:
        return []
    seen = f"6ND is {np.median(flops):.2g} FLOPs in the middle"
    return [Slip(("n_params", "n_tokens"), np.ones(len(flops), dtype=bool), BOTH, seen)]


def _beside(others: Numbers) -> str:
    return f", in the others {10 ** np.median(others):.2g}" if len(others) else ""
