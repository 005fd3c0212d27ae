"""A mix of sources read for so many tokens: how many of them are distinct.

Legend: E tokens processed, n_i distinct tokens of a source, w_i its share of what is processed.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isoflop.base.errors import InputError

SLACK = 0.02
"""How far printed shares may be from one: GPT-3's add to 1.01."""


@dataclass(frozen=True)
class MixSource:
    """One source of a mix.

    Args:
        name: what it is.
        n_tokens: distinct tokens it holds.
        weight: its share of the tokens processed.
    """

    name: str
    n_tokens: float
    weight: float


GPT_3 = (
    MixSource("filtered Common Crawl", 410e9, 0.60),
    MixSource("WebText2", 19e9, 0.22),
    MixSource("Books1", 12e9, 0.08),
    MixSource("Books2", 55e9, 0.08),
    MixSource("Wikipedia", 3e9, 0.03),
)
"""Brown et al. 2020 (arXiv 2005.14165), Table 2.2, shares as printed; 300e9 tokens processed."""

GPT_3_TOKENS = 300e9


@dataclass(frozen=True)
class SourceUse:
    """What becomes of one source.

    Args:
        name: what it is.
        n_tokens_unique: distinct tokens of it that are seen.
        epochs: times it is read; below one where it is not read through.
    """

    name: str
    n_tokens_unique: float
    epochs: float


@dataclass(frozen=True)
class MixUse:
    """What becomes of a mix.

    Args:
        n_tokens: tokens processed.
        n_tokens_unique: distinct tokens among them.
        sources: source by source.
    """

    n_tokens: float
    n_tokens_unique: float
    sources: tuple[SourceUse, ...]

    @property
    def effective_epochs(self) -> float:
        """E/D, times the average distinct token is read."""
        return self.n_tokens / self.n_tokens_unique

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "n_tokens": self.n_tokens,
            "n_tokens_unique": self.n_tokens_unique,
            "effective_epochs": self.effective_epochs,
            "sources": [dict(vars(source)) for source in self.sources],
        }


def use_mix(mix: Sequence[MixSource], n_tokens: float) -> MixUse:
    """Count the distinct tokens that a mix gives: sum over sources of min(n_i, E·w_i).

    Args:
        mix: the sources; their weights add to one, within the rounding of print.
        n_tokens: tokens processed, E.

    Raises:
        InputError: amounts that are not positive, or weights that do not add to one.

    >>> used = use_mix(GPT_3, 300e9)
    >>> f"{used.n_tokens_unique:.3g}", f"{used.effective_epochs:.2f}"
    ('2.38e+11', '1.26')
    """
    if not (0 < n_tokens < float("inf")):
        raise InputError(f"tokens processed must be positive and finite, found {n_tokens:g}")
    for source in mix:
        if not (0 < source.n_tokens < float("inf") and 0 < source.weight <= 1):
            raise InputError(
                f"source {source.name}: expected positive tokens and a weight in (0, 1], found "
                f"{source.n_tokens:g} and {source.weight:g}"
            )
    total = sum(source.weight for source in mix)
    if abs(total - 1) > SLACK:
        raise InputError(f"the weights of a mix add to one, these to {total:.3g}")
    uses = tuple(
        SourceUse(
            source.name,
            min(source.n_tokens, n_tokens * source.weight),
            n_tokens * source.weight / source.n_tokens,
        )
        for source in mix
    )
    return MixUse(n_tokens, sum(use.n_tokens_unique for use in uses), uses)


def read_mix(source: Path | str) -> tuple[MixSource, ...]:
    """Read a mix from a CSV with columns source, n_tokens, weight; `gpt-3` is GPT-3's.

    Raises:
        InputError: no such file, absent columns, or cells that are not numbers.
    """
    if str(source).strip().lower() == "gpt-3":
        return GPT_3
    try:
        with Path(source).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise InputError(f"{source}: no such mix; expected a CSV file, or gpt-3") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{source}: cannot be read ({type(error).__name__})") from None
    wanted = ("source", "n_tokens", "weight")
    absent = [name for name in wanted if not rows or name not in rows[0]]
    if absent:
        raise InputError(f"{source}: a mix has columns {', '.join(wanted)}; no {absent[0]} here")
    return tuple(_read_row(row, k, source) for k, row in enumerate(rows, 1))


def _read_row(row: dict[str, str], place: int, source: Path | str) -> MixSource:
    try:
        return MixSource(row["source"], float(row["n_tokens"]), float(row["weight"]))
    except (TypeError, ValueError):
        raise InputError(
            f"{source} row {place}: n_tokens and weight must be numbers, found "
            f"{row['n_tokens']!r} and {row['weight']!r}"
        ) from None
