"""Parameters by group, against the shapes that papers print."""

from typing import Any

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.params import count_params
from isoflop.base.errors import InputError

GPT_3 = Architecture(n_layer=96, d_model=12288, n_ctx=2048)


def test_gpt_2_small_has_84_9_million_outside_embeddings() -> None:
    assert count_params(Architecture(n_layer=12, d_model=768)).non_embedding == 84_934_656


def test_gpt_2_xl_has_1_47_billion_outside_embeddings() -> None:
    non_embedding = count_params(Architecture(n_layer=48, d_model=1600)).non_embedding
    assert f"{non_embedding:.2e}" == "1.47e+09"


def test_standard_shape_is_12_layers_width_squared() -> None:
    counted = count_params(Architecture(n_layer=7, d_model=320)).non_embedding
    assert counted == 12 * 7 * 320**2


def test_gpt_3_is_called_175_billion_with_embeddings() -> None:
    counted = count_params(GPT_3)
    assert f"{counted.non_embedding:.3e}" == "1.739e+11"
    assert f"{counted.total / 1e9:.0f}" == "175"


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_groups_add_up(tied: bool, positions: str) -> None:
    shape = Architecture(
        n_layer=6,
        d_model=256,
        d_ff=512,
        d_attn=128,
        n_vocab=1000,
        n_ctx=64,
        tied=tied,
        positions="learned" if positions == "learned" else "rotary",
    )
    counted = count_params(shape)
    assert counted.total == counted.non_embedding + counted.embedding + counted.head
    assert counted.non_embedding == 2 * 256 * 6 * (2 * 128 + 512)
    assert counted.embedding == (1000 + (64 if positions == "learned" else 0)) * 256
    assert counted.head == (0 if tied else 1000 * 256)


def test_document_has_the_four_groups() -> None:
    document = count_params(Architecture(n_layer=2, d_model=64)).to_dict()
    assert list(document) == ["non_embedding", "embedding", "head", "total"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("n_layer", 0), ("n_layer", -3), ("n_ctx", 0), ("n_vocab", -1), ("d_model", 0)],
)
def test_sizes_must_be_positive(field: str, value: int) -> None:
    sizes: Any = {"n_layer": 2, "d_model": 64, field: value}
    with pytest.raises(InputError) as caught:
        Architecture(**sizes)
    assert str(caught.value) == f"{field} must be a positive integer, found {value}"


@pytest.mark.parametrize("field", ["d_ff", "d_attn", "n_head"])
def test_negative_optional_sizes_are_refused(field: str) -> None:
    sizes: Any = {"n_layer": 2, "d_model": 64, field: -8}
    with pytest.raises(InputError, match=f"{field} must be a positive integer, found -8"):
        Architecture(**sizes)


@pytest.mark.parametrize("value", [1.5, "2", True, None])
def test_sizes_must_be_whole_numbers(value: object) -> None:
    with pytest.raises(InputError, match="n_layer must be a positive integer"):
        Architecture(n_layer=value, d_model=64)  # type: ignore[arg-type]


def test_heads_must_divide_the_attention_width() -> None:
    with pytest.raises(InputError, match="d_attn = 768 is not divisible by n_head = 7"):
        Architecture(n_layer=12, d_model=768, n_head=7)


@pytest.mark.parametrize(
    ("d_model", "n_head"), [(768, 12), (32, 1), (200, 2), (12288, 192), (5140, 20)]
)
def test_heads_default_to_a_count_that_divides_the_width(d_model: int, n_head: int) -> None:
    # 5140 is the width that the GPT-3 table prints for 13B.
    assert Architecture(n_layer=1, d_model=d_model).n_head == n_head


def test_positions_must_be_known() -> None:
    with pytest.raises(InputError, match="positions must be learned or rotary, found 'alibi'"):
        Architecture(n_layer=2, d_model=64, positions="alibi")  # type: ignore[arg-type]
