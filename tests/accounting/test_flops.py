"""Training FLOPs per token, against independent counts and printed totals."""

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.base.units import to_pf_days

GPT_2_SMALL = Architecture(n_layer=12, d_model=768)
GPT_3 = Architecture(n_layer=96, d_model=12288, n_ctx=2048)
SEVENTY_BILLION = Architecture(n_layer=80, d_model=8192, n_head=64, n_ctx=2048, n_vocab=32000)
ODD = Architecture(
    n_layer=5, d_model=96, d_ff=200, d_attn=64, n_head=4, n_ctx=77, n_vocab=301, tied=False
)
SHAPES = (GPT_2_SMALL, GPT_3, SEVENTY_BILLION, ODD)


def appendix_f(shape: Architecture) -> int:
    """Hoffmann et al. 2022, appendix F, a whole sequence at a time, forward and backward."""
    s, V, d = shape.n_ctx, shape.n_vocab, shape.d_model
    width, heads, d_ff = shape.d_attn, shape.n_head, shape.d_ff
    total = 2 * s * V * d  # embeddings as a matmul
    for _ in range(shape.n_layer):
        total += 2 * 3 * s * d * width  # queries, keys, values
        total += 2 * s * s * width  # logits
        total += 3 * heads * s * s  # softmax
        total += 2 * s * s * width  # reduction
        total += 2 * s * width * d  # projection
        total += 2 * s * (d * d_ff + d * d_ff)  # dense block
    total += 2 * s * d * V  # final logits
    return 3 * total


def every_matmul(shape: Architecture) -> int:
    """2·rows·inner·columns of each multiplication that the hardware does, a sequence."""
    s, d = shape.n_ctx, shape.d_model
    multiplied = [
        (s, d, 3 * shape.d_attn),
        (s, shape.d_attn, s),  # scores, all heads, no causal discount
        (s, s, shape.d_attn),
        (s, shape.d_attn, d),
        (s, d, shape.d_ff),
        (s, shape.d_ff, d),
    ]
    blocks = shape.n_layer * sum(2 * m * k * n for m, k, n in multiplied)
    return 3 * (blocks + 2 * s * d * shape.n_vocab)


@pytest.mark.parametrize("shape", SHAPES)
def test_chinchilla_count_is_appendix_f_by_the_sequence(shape: Architecture) -> None:
    per_sequence = flops_per_token(shape).chinchilla * shape.n_ctx
    assert appendix_f(shape) == pytest.approx(per_sequence, rel=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_matmul_count_is_the_sum_over_multiplications(shape: Architecture) -> None:
    per_sequence = flops_per_token(shape).matmul * shape.n_ctx
    assert every_matmul(shape) == pytest.approx(per_sequence, rel=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_two_exact_counts_differ_by_softmax_and_embedding(shape: Architecture) -> None:
    counted = flops_per_token(shape)
    softmax = 3 * shape.n_layer * shape.n_head * shape.n_ctx
    embedding = 2 * shape.n_vocab * shape.d_model
    assert counted.chinchilla - counted.matmul == 3 * (softmax + embedding)


def test_kaplan_counts_six_a_parameter() -> None:
    counted = flops_per_token(GPT_2_SMALL)
    assert counted.kaplan == 6 * 84_934_656
    assert counted.kaplan_attention == 6 * 84_934_656 + 6 * 12 * 1024 * 768


def test_tied_and_untied_models_multiply_the_same() -> None:
    tied = Architecture(n_layer=4, d_model=128, n_vocab=8192, tied=True)
    untied = Architecture(n_layer=4, d_model=128, n_vocab=8192, tied=False)
    assert flops_per_token(tied).matmul - flops_per_token(untied).matmul == 0
    assert flops_per_token(tied).chinchilla == flops_per_token(untied).chinchilla
    assert flops_per_token(untied).six_n_total - flops_per_token(tied).six_n_total == 6 * 128 * 8192


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("six_n_total", "3.14e+23"),  # as GPT-3's paper and everyone since
        ("kaplan", "3.13e+23"),
        ("kaplan_attention", "3.17e+23"),
        ("matmul", "3.23e+23"),
        ("chinchilla", "3.24e+23"),
    ],
)
def test_gpt_3_on_300_billion_tokens(convention: str, expected: str) -> None:
    assert expected == f"{300e9 * flops_per_token(GPT_3).to_dict()[convention]:.2e}"


def test_gpt_3_took_3640_pf_days() -> None:
    pf_days = to_pf_days(300e9 * flops_per_token(GPT_3).six_n_total)
    assert f"{pf_days:.2e}" == "3.64e+03"


def test_six_n_d_is_within_ten_percent_of_appendix_f_at_70_billion() -> None:
    counted = flops_per_token(SEVENTY_BILLION)
    assert counted.six_n_total == pytest.approx(counted.chinchilla, rel=0.10)


def test_six_n_total_is_far_off_for_a_small_model_with_a_large_vocabulary() -> None:
    small = Architecture(n_layer=2, d_model=128, n_vocab=50257)
    counted = flops_per_token(small)
    assert counted.matmul / counted.kaplan > 15
    assert 6.0 * count_params(small).total == counted.six_n_total
