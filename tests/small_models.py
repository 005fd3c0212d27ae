"""Small models of every family, and their weights away from the start."""

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.accounting.convolution import Convolutional  # noqa: E402
from isoflop.accounting.families import Model  # noqa: E402
from isoflop.accounting.lstm import Lstm  # noqa: E402
from isoflop.accounting.transformer import Transformer  # noqa: E402
from isoflop.lab.models.families import LanguageModel, build_model  # noqa: E402
from isoflop.lab.models.pack import Pack, make_pack  # noqa: E402

CPU = torch.device("cpu")
CONTEXT, VOCAB = 8, 11


def plain(**changes) -> Architecture:
    sizes = {"n_layer": 2, "d_model": 8, "d_ff": 24, "d_attn": 12, "n_head": 3}
    return Architecture(**{**sizes, "n_ctx": CONTEXT, "n_vocab": VOCAB, **changes})


SMALL = {"d_model": 8, "n_vocab": VOCAB, "n_ctx": CONTEXT}
MODELS: dict[str, Model] = {
    "plain": plain(tied=False),
    "rotary": plain(positions="rotary"),
    "gated": Transformer(plain(), gated=True),
    "banded": Transformer(plain(positions="rotary"), "banded", 2),
    "alternating": Transformer(plain(n_layer=3), "alternating", 3),
    "recurrent": Transformer(plain(tied=False), passes=3),
    "everything": Transformer(plain(n_layer=2), "alternating", 2, gated=True, passes=2),
    "lstm": Lstm(2, 8, 12, VOCAB, tied=False, n_ctx=CONTEXT),
    "lstm tied": Lstm(2, 8, 12, VOCAB, n_ctx=CONTEXT),
    "conv": Convolutional(2, kernel=3, **SMALL),
    "conv ungated": Convolutional(2, kernel=3, gated=False, tied=False, **SMALL),
    "conv separable": Convolutional(2, kernel=4, kind="separable", **SMALL),
}


def make(
    model: Model, seeds: list[tuple[int, int]], dtype: torch.dtype = torch.float32
) -> tuple[LanguageModel, Pack]:
    placed = {"base_width": 32, "device": CPU, "dtype": dtype}
    return build_model(model, **placed), make_pack(model, seeds, **placed)


def shake(pack: Pack, seed: int = 0) -> None:
    """Move every weight off its start, so that no head is zero."""
    noise = torch.randn(pack.master.shape, generator=torch.Generator().manual_seed(seed))
    pack.master.add_(0.3 * noise)
    pack.refresh()


def tokens(packed: int, rows: int, context: int = CONTEXT, seed: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, VOCAB, (packed, rows, context), generator=generator)
