"""The dial of a design: one number, width or depth, that everything else of a shape follows."""

from dataclasses import dataclass, field, fields

from isoflop.accounting.architecture import Architecture, Positions

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Own:
    """What one rung of a design has of its own.

    Args:
        seeds: instead of the table's; 0 keeps them.
        lrs: instead of the table's; none keeps them.
    """

    seeds: int = 0
    lrs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Dial:
    """How a shape follows from one number.

    By `widths`, d_model grows at `n_layer` layers. By `depths`, d_model = aspect · n_layer,
    rounded up to whole heads of `head_width` (nanochat's `--depth`, with its 64 and 128).

    Args:
        widths: d_model of every size.
        depths: n_layer of every size, instead of widths.
        n_layer: layers of every width.
        aspect: d_model per layer of every depth.
        n_head: heads at every size; 0 leaves it to `head_width`.
        head_width: width of a head; 0 is 128 under `depths`, 64 or a little more under `widths`.
        n_ctx: context length, tokens.
        n_vocab: vocabulary; 0 is the tokenizer's.
        tied: whether the output head shares the token embedding.
        positions: `learned` or `rotary`.
        seeds: seeds of every rung.
        lrs: learning rates of every rung; none is the recipe's.
        own: {rung: what it has of its own}.
    """

    widths: Sizes = ()
    depths: Sizes = ()
    n_layer: int = 2
    aspect: int = 64
    n_head: int = 0
    head_width: int = 0
    n_ctx: int = 1024
    n_vocab: int = 0
    tied: bool = True
    positions: Positions = "rotary"
    seeds: int = 1
    lrs: tuple[float, ...] = ()
    own: dict[str, Own] = field(default_factory=dict)

    @property
    def sizes(self) -> Sizes:
        """Widths or depths, ascending."""
        return tuple(sorted(set(self.widths or self.depths)))


DIAL_KEYS = tuple(each.name for each in fields(Dial))
"""Keys of a design table that belong to its dial."""
_DEEP_HEAD = 128
"""Width of a head by depth, as nanochat's `--head-dim`."""


def shape_at(dial: Dial, size: int) -> Architecture:
    """Return the shape of one size.

    >>> shape_at(Dial(depths=(12,), n_vocab=256), 12).d_model
    768
    >>> shape_at(Dial(widths=(32,), n_head=2, n_vocab=256), 32).n_layer
    2
    """
    width, head = width_at(dial, size), head_width(dial)
    return Architecture(
        n_layer=dial.n_layer if dial.widths else size,
        d_model=width,
        n_head=dial.n_head or (width // head if head else _heads(width, dial.positions)),
        n_ctx=dial.n_ctx,
        n_vocab=dial.n_vocab,
        tied=dial.tied,
        positions=dial.positions,
    )


def width_at(dial: Dial, size: int) -> int:
    """Return d_model of one size.

    >>> width_at(Dial(depths=(3,)), 3), width_at(Dial(widths=(9,)), 9)
    (256, 9)
    """
    width, head = size if dial.widths else dial.aspect * size, head_width(dial)
    return head * -(-width // head) if head else width


def head_width(dial: Dial) -> int:
    """Return the width of a head, 0 where it follows from their number or from d_model."""
    return dial.head_width or (0 if dial.widths or dial.n_head else _DEEP_HEAD)


def _heads(width: int, positions: Positions) -> int:
    """Heads of width 64 or a little more; rotary positions turn pairs, so their widths are even."""
    if positions != "rotary":
        return 0
    return next((h for h in range(width // 64, 1, -1) if width % (2 * h) == 0), 1)


def rung_name(dial: Dial, size: int) -> str:
    """Return a rung's name: its width, or its depth.

    >>> rung_name(Dial(widths=(32,)), 32), rung_name(Dial(depths=(12,)), 12)
    ('d32', 'depth12')
    """
    return f"d{size}" if dial.widths else f"depth{size}"
