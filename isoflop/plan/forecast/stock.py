"""How much data there is, by modality, and the compute at which a plan has read all of it.

Legend: C FLOPs, D tokens a plan reads once at C, U tokens that exist; exhausted where D(C) = U.
"""

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from isoflop.base.errors import InputError, RefusalError, RunTableError, UnknownNameError
from isoflop.base.estimate import Estimate

COLUMNS = ("name", "modality", "amount", "low", "high", "unit", "tokens_per_unit", "source")
"""Columns of an inventory of one's own; low, high and source may be empty."""
FLOPS_SEARCHED = (1e12, 1e60)
EPOCH_2024 = "Villalobos et al. 2024 (arXiv 2211.04325v2)"
THROUGH = f"{EPOCH_2024}, second hand through the AI Index 2025"
PIXELS = f"{THROUGH}: 30 tokens an image or second of video"


@dataclass(frozen=True)
class Stock:
    """Data that exist.

    Args:
        name: kebab-case.
        modality: text, image or video.
        amount: how many units.
        unit: tokens, words, images, frames.
        tokens_per_unit: tokens a unit is read as.
        source: who counted or estimated.
        low: lower end of the amount, None where it was counted.
        high: upper end.
    """

    name: str
    modality: str
    amount: float
    unit: str
    tokens_per_unit: float
    source: str
    low: float | None = None
    high: float | None = None

    @property
    def n_tokens(self) -> Estimate:
        """U, tokens."""
        low, high = (None if e is None else e * self.tokens_per_unit for e in (self.low, self.high))
        return Estimate(self.amount * self.tokens_per_unit, low, high)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {**vars(self), "n_tokens": self.n_tokens.to_dict()}


FRAMES_PER_SECOND = 24.0
"""Assumed of the video whose seconds were estimated."""

STOCKS: tuple[Stock, ...] = (
    Stock("gpt-3-mix", "text", 4.99e11, "tokens", 1, "Brown et al. 2020, Table 2.2: 410 + 19 + "
          "12 + 55 + 3 billion"),
    Stock("common-crawl", "text", 1.3e14, "tokens", 1, THROUGH),
    Stock("public-text", "text", 3e14, "tokens", 1, f"{EPOCH_2024}: effective stock of public "
          "human text, quality and repeats considered, 90 % interval", 1e14, 1e15),
    Stock("indexed-web", "text", 5.1e14, "tokens", 1, THROUGH),
    Stock("whole-web", "text", 3.1e15, "tokens", 1, THROUGH),
    Stock("all-language-2022", "text", math.sqrt(7e13 * 7e16), "words", 1.5, "Villalobos et al. "
          "2022 (arXiv 2211.04325v1): 7e13 to 7e16 words; 3 tokens for 2 words", 7e13, 7e16),
    Stock("jft-300m", "image", 3.03e8, "images", 1024, "Abnar et al. 2021; 32 × 32 codes of a "
          "VQ-VAE to the image (Henighan 2020)"),
    Stock("images", "image", 300e12 / 30, "images", 1024, f"{PIXELS}; read as 32 × 32 codes here"),
    Stock("video", "video", 1350e12 / 30 * FRAMES_PER_SECOND, "frames", 256, f"{PIXELS}; 24 "
          "frames a second assumed, read as 16 × 16 codes here (Henighan 2020)"),
)  # fmt: skip
"""A small inventory, to be replaced by one's own: `read_stocks`."""


@dataclass(frozen=True)
class Exhaustion:
    """Where a plan has read a stock once.

    Args:
        stock: the stock.
        rule: what says how many tokens a budget reads.
        flops: C at which D(C) = U; an interval where the stock has one.
        epochs: passes over the stock that the plan asked about makes.
        year: when compute gets there, None unless a growth a year was given.
    """

    stock: Stock
    rule: str
    flops: Estimate
    epochs: Estimate
    year: Estimate | None = None

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            "stock": self.stock.to_dict(),
            "rule": self.rule,
            "flops": self.flops.to_dict(),
            "epochs": self.epochs.to_dict(),
            "year": self.year and self.year.to_dict(),
        }


def find_exhaustion(
    stock: Stock, tokens_of: Callable[[float], float], *, rule: str, flops: float
) -> Exhaustion:
    """Find the compute at which a plan has read a stock once.

    Args:
        stock: the stock.
        tokens_of: D(C), growing in C.
        rule: name of it.
        flops: budget of the plan, whose passes over the stock are told.

    Raises:
        RefusalError: no compute between 1e12 and 1e60 FLOPs reads it.

    >>> kaplan = lambda flops: 3e11 * (flops / 3.14e23) ** 0.27
    >>> found = find_exhaustion(STOCKS[2], kaplan, rule="kaplan", flops=1e36)
    >>> print(found.flops)
    4.1e34 [6.9e32, 3.5e36]
    """
    stocked = stock.n_tokens
    read = tokens_of(flops)
    ends = (stocked.value, stocked.low, stocked.high)
    at = [None if end is None else _solve(tokens_of, end, stock.name) for end in ends]
    epochs = [None if end is None else read / end for end in (stocked.value, stocked.high,
                                                             stocked.low)]  # fmt: skip
    return Exhaustion(stock, rule, _estimate(at), _estimate(epochs))


def read_stocks(path: Path | str) -> tuple[Stock, ...]:
    """Read an inventory of one's own, a CSV with the columns of `COLUMNS`.

    Raises:
        RunTableError: an absent column, or a cell that is not a positive number; names its row.
    """
    source = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RunTableError("not readable as CSV in UTF-8", source=source) from None
    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        raise RunTableError(f"no rows; expected a header {','.join(COLUMNS)}", source=source)
    absent = [name for name in COLUMNS[:3] + COLUMNS[5:7] if name not in rows[0]]
    if absent:
        raise RunTableError(
            f"no column `{absent[0]}`; an inventory has {', '.join(COLUMNS)}", source=source
        )
    return tuple(_read_row(row, source, k) for k, row in enumerate(rows, start=1))


def choose_stocks(names: Sequence[str], stocks: Sequence[Stock] = STOCKS) -> tuple[Stock, ...]:
    """Keep stocks by name or modality; all if none is named.

    Raises:
        UnknownNameError: neither.
    """
    known = {stock.name for stock in stocks} | {stock.modality for stock in stocks}
    for name in names:
        if name not in known:
            raise UnknownNameError("stock of data", name, known)
    return tuple(s for s in stocks if not names or s.name in names or s.modality in names)


def _read_row(row: dict[str, str], source: str, number: int) -> Stock:
    def amount(name: str) -> float | None:
        cell = (row.get(name) or "").strip()
        if not cell and name in ("low", "high"):
            return None
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise RunTableError(
                f"expected a positive number, found {cell!r}", source=source, row=number, field=name
            )
        return value

    many, each = amount("amount"), amount("tokens_per_unit")
    assert many is not None
    assert each is not None
    low, high = amount("low"), amount("high")
    if not (low or many) <= many <= (high or many):
        raise RunTableError("low, amount and high do not ascend", source=source, row=number)
    return Stock(row["name"], row["modality"], many, row["unit"], each, row.get("source") or "",
                 low, high)  # fmt: skip


def _solve(tokens_of: Callable[[float], float], wanted: float, name: str) -> float:
    """Bisect ln C, which no growing rule can mislead."""
    low, high = (math.log(end) for end in FLOPS_SEARCHED)
    if not tokens_of(math.exp(low)) < wanted < tokens_of(math.exp(high)):
        raise RefusalError(
            f"{name}: no plan between {FLOPS_SEARCHED[0]:.0e} and {FLOPS_SEARCHED[1]:.0e} FLOPs "
            "reads just as much; look at the rule's exponent"
        )
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if tokens_of(math.exp(middle)) < wanted else (low, middle)
    return math.exp((low + high) / 2)


def _estimate(ends: Sequence[float | None]) -> Estimate:
    value, low, high = ends
    if value is None:
        raise InputError("a stock without an amount")
    return Estimate(value, low, high)
