"""The shape of a decoder-only transformer, in Kaplan's parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from isoflop.base.errors import InputError

Positions = Literal["learned", "rotary"]


@dataclass(frozen=True)
class Architecture:
    """A dense decoder-only transformer.

    Args:
        n_layer: number of blocks.
        d_model: width of the residual stream.
        d_ff: hidden width of the feed-forward layer; 4·d_model if not given.
        d_attn: total width of queries (= keys = values); d_model if not given.
        n_head: attention heads; if not given, the largest divisor of d_attn up to d_attn/64.
        n_ctx: context length, tokens.
        n_vocab: vocabulary size, tokens.
        tied: whether the output head shares the token embedding.
        positions: `learned` adds an n_ctx × d_model table, `rotary` adds no parameters.

    Raises:
        InputError: a size that is not a positive integer, or d_attn not divisible by n_head.

    >>> Architecture(n_layer=12, d_model=768).d_ff
    3072
    """

    n_layer: int
    d_model: int
    d_ff: int = 0
    d_attn: int = 0
    n_head: int = 0
    n_ctx: int = 1024
    n_vocab: int = 50257
    tied: bool = True
    positions: Positions = "learned"

    def __post_init__(self) -> None:
        mistakes = list(_size_mistakes(self))
        if not mistakes:
            object.__setattr__(self, "d_ff", self.d_ff or 4 * self.d_model)
            object.__setattr__(self, "d_attn", self.d_attn or self.d_model)
            object.__setattr__(self, "n_head", self.n_head or _default_heads(self.d_attn))
            if self.d_attn % self.n_head:
                mistakes.append(
                    f"d_attn = {self.d_attn} is not divisible by n_head = {self.n_head}; "
                    "choose a head count that divides it"
                )
        if self.positions not in ("learned", "rotary"):
            mistakes.append(f"positions must be learned or rotary, found {self.positions!r}")
        if mistakes:
            raise InputError("; ".join(mistakes))


def _default_heads(d_attn: int) -> int:
    """Heads of width 64 or a little more, a count that divides d_attn."""
    return next((h for h in range(d_attn // 64, 1, -1) if d_attn % h == 0), 1)


def _size_mistakes(shape: Architecture) -> Iterator[str]:
    """Yield a sentence for each size that is no positive integer; 0 asks for a default."""
    for name in ("n_layer", "d_model", "d_ff", "d_attn", "n_head", "n_ctx", "n_vocab"):
        value = getattr(shape, name)
        if value == 0 and name in ("d_ff", "d_attn", "n_head"):
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            yield f"{name} must be a positive integer, found {value!r}"
