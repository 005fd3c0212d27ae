"""The eight models of GPT-3 as Brown et al. 2020 print them, and which rows contradict themselves.

Table 2.1 gives layers, width, heads, head width, batch and learning rate; table D.1 gives
parameters in millions and training compute. Attention alternates between dense and banded
layers; the band is not printed, so the rows are counted dense.
"""

from dataclasses import dataclass

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.accounting.transformer import Transformer
from isoflop.base.units import to_pf_days

N_TOKENS = 300e9
"""Tokens that each of the eight models was trained on (table 2.1)."""


@dataclass(frozen=True)
class Gpt3Row:
    """One row as printed.

    Args:
        name: as in the table.
        n_params: parameters, table 2.1.
        n_layer: blocks.
        d_model: width.
        n_head: heads.
        d_head: width of a head.
        batch_tokens: batch, tokens.
        lr: learning rate.
        n_params_counted: parameters, table D.1.
        flops: training compute, table D.1, FLOPs.
    """

    name: str
    n_params: float
    n_layer: int
    d_model: int
    n_head: int
    d_head: int
    batch_tokens: float
    lr: float
    n_params_counted: float
    flops: float


GPT_3 = (
    Gpt3Row("gpt3-small", 125e6, 12, 768, 12, 64, 0.5e6, 6e-4, 125e6, 2.25e20),
    Gpt3Row("gpt3-medium", 350e6, 24, 1024, 16, 64, 0.5e6, 3e-4, 356e6, 6.41e20),
    Gpt3Row("gpt3-large", 760e6, 24, 1536, 16, 96, 0.5e6, 2.5e-4, 760e6, 1.37e21),
    Gpt3Row("gpt3-xl", 1.3e9, 24, 2048, 24, 128, 1e6, 2e-4, 1320e6, 2.38e21),
    Gpt3Row("gpt3-2.7b", 2.7e9, 32, 2560, 32, 80, 1e6, 1.6e-4, 2650e6, 4.77e21),
    Gpt3Row("gpt3-6.7b", 6.7e9, 32, 4096, 32, 128, 2e6, 1.2e-4, 6660e6, 1.20e22),
    Gpt3Row("gpt3-13b", 13e9, 40, 5140, 40, 128, 2e6, 1e-4, 12850e6, 2.31e22),
    Gpt3Row("gpt3-175b", 175e9, 96, 12288, 96, 128, 3.2e6, 6e-5, 174600e6, 3.14e23),
)
"""Brown et al. 2020, tables 2.1 and D.1."""


def readings(row: Gpt3Row) -> tuple[Architecture, ...]:
    """Ways to read a row: its d_model throughout, its heads in attention, its heads throughout.

    One and the same where the row is consistent.
    """
    heads = row.n_head * row.d_head
    widths = dict.fromkeys(
        [
            (row.d_model, row.d_model // row.d_head * row.d_head),
            (row.d_model, heads),
            (heads, heads),
        ]
    )
    return tuple(
        Architecture(row.n_layer, d_model, d_attn=d_attn, n_head=d_attn // row.d_head, n_ctx=2048)
        for d_model, d_attn in widths
    )


def architecture_of(row: Gpt3Row) -> Architecture:
    """The reading of a row whose parameters are nearest to those that table D.1 prints.

    >>> architecture_of(GPT_3[6]).d_model  # printed as 5140
    5120
    """
    return min(readings(row), key=lambda a: abs(count_params(a).total - row.n_params_counted))


def find_flaw(row: Gpt3Row) -> str | None:
    """Say how a row contradicts itself and which reading its parameters support, or None.

    >>> print(find_flaw(GPT_3[6]))
    40 heads of 128 make 5120, d_model is 5140; D.1's 12.85e9 parameters need 40 heads, width 5120
    """
    if row.n_head * row.d_head == row.d_model:
        return None
    chosen = architecture_of(row)
    return (
        f"{row.n_head} heads of {row.d_head} make {row.n_head * row.d_head}, d_model is "
        f"{row.d_model}; D.1's {row.n_params_counted / 1e9:.4g}e9 parameters need "
        f"{chosen.n_head} heads, width {chosen.d_model}"
    )


@dataclass(frozen=True)
class CountedRow:
    """A row beside what is counted from its shape.

    Args:
        row: as printed.
        architecture: the reading counted.
        n_params: all parameters, counted.
        n_params_non_embedding: those of the blocks, counted.
        flops: 6·N_total·D on 300e9 tokens.
        pf_days: the same in PF-days.
        flops_matmul: what the hardware multiplies, were every layer dense.
        flops_matmul_least: the same, were the bands of every second layer one token wide;
            the truth lies between, as the band is not printed.
        flaw: how the row contradicts itself, or None.
    """

    row: Gpt3Row
    architecture: Architecture
    n_params: int
    n_params_non_embedding: int
    flops: float
    pf_days: float
    flops_matmul: float
    flops_matmul_least: float
    flaw: str | None


def count_gpt3() -> tuple[CountedRow, ...]:
    """Count every row of GPT-3's table.

    >>> f"{count_gpt3()[-1].flops:.2e} FLOPs, {count_gpt3()[-1].pf_days:.2e} PF-days"
    '3.14e+23 FLOPs, 3.64e+03 PF-days'
    """
    return tuple(_count(row) for row in GPT_3)


def _count(row: Gpt3Row) -> CountedRow:
    shape = architecture_of(row)
    params, dense = count_params(shape), flops_per_token(shape)
    banded = flops_per_token(Transformer(shape, span="alternating", band=1))
    flops = N_TOKENS * dense.six_n_total
    return CountedRow(
        row=row,
        architecture=shape,
        n_params=params.total,
        n_params_non_embedding=params.non_embedding,
        flops=flops,
        pf_days=to_pf_days(flops),
        flops_matmul=N_TOKENS * dense.matmul,
        flops_matmul_least=N_TOKENS * banded.matmul,
        flaw=find_flaw(row),
    )
