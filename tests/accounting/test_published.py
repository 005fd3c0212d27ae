"""Named models against the parameters and FLOPs that their papers and releases state."""

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.gpt3 import GPT_3, count_gpt3, readings
from isoflop.accounting.named import NAMED, find_model
from isoflop.accounting.params import count_active_params, count_groups, count_params
from isoflop.base.errors import UnknownNameError

RELEASED = {
    # Parameters of the released weights, all of them.
    "gpt2-small": 124_439_808,
    "gpt2-xl": 1_557_611_200,
    "llama-2-7b": 6_738_415_616,
    "llama-3-8b": 8_030_261_248,
    "llama-3-405b": 405_853_388_800,
    "mixtral-8x7b": 46_702_792_704,
    "deepseek-moe-16b": 16_375_728_128,
    "awd-lstm": 24_221_600,
}


@pytest.mark.parametrize("name", RELEASED)
def test_a_named_model_has_the_parameters_of_its_release(name: str) -> None:
    assert count_params(find_model(name).model).total == RELEASED[name]


@pytest.mark.parametrize(
    ("name", "billions"), [("mixtral-8x7b", "12.9"), ("deepseek-moe-16b", "2.8")]
)
def test_active_parameters_are_those_of_the_papers(name: str, billions: str) -> None:
    assert f"{count_active_params(find_model(name).model).total / 1e9:.1f}" == billions


def test_zarembas_large_lstm_has_66_million() -> None:
    assert f"{count_params(find_model('zaremba-large').model).total / 1e6:.0f}" == "66"


@pytest.mark.parametrize("each", NAMED, ids=lambda each: each.name)
def test_groups_add_up_to_the_total(each) -> None:
    counted = count_params(each.model)
    assert sum(count_groups(each.model).values()) == counted.total
    assert count_active_params(each.model).total <= counted.total


def test_the_plain_shapes_of_kaplan_keep_their_non_embedding_counts() -> None:
    assert count_params(find_model("gpt2-small").model).non_embedding == 84_934_656
    xl = count_params(find_model("gpt2-xl").model).non_embedding
    assert f"{xl:.2e}" == "1.47e+09"


def test_llama_3_405b_took_3_8e25_flops() -> None:
    # Llama 3, 2024, section 3.2: 3.8e25 FLOPs on 15.6T tokens.
    named = find_model("llama-3-405b")
    assert named.n_tokens == 15.6e12
    assert f"{15.6e12 * flops_per_token(named.model).six_n_total:.1e}" == "3.8e+25"


def test_deepseek_7b_takes_183_5_tflops_for_4k_tokens() -> None:
    # Dai 2024, table 3: forward and backward, attention over the full square, head counted.
    shape = Architecture(n_layer=30, d_model=4096, n_ctx=4096, n_vocab=102400, tied=False)
    assert f"{4096 * flops_per_token(shape).matmul / 1e12:.1f}" == "183.5"


def test_deepseek_moe_16b_takes_within_3_percent_of_74_4_tflops() -> None:
    # The same table; it takes an expert for a quarter of 8·d², which is 3 % narrower.
    per_4k = 4096 * flops_per_token(find_model("deepseek-moe-16b").model).matmul
    assert per_4k == pytest.approx(74.4e12, rel=0.03)


def test_deepseek_convention_is_72nd2_and_12nds() -> None:
    n, d, s = 30, 4096, 4096
    counted = flops_per_token(Architecture(n_layer=n, d_model=d, n_ctx=s)).deepseek
    assert counted == 72 * n * d**2 + 12 * n * d * s


TABLE_D1 = [
    # Brown 2020, table D.1: millions of parameters, FLOPs, PF-days.
    ("gpt3-small", 125, 2.25e20, 2.60),
    ("gpt3-medium", 356, 6.41e20, 7.42),
    ("gpt3-large", 760, 1.37e21, 15.8),
    ("gpt3-xl", 1320, 2.38e21, 27.5),
    ("gpt3-2.7b", 2650, 4.77e21, 55.2),
    ("gpt3-6.7b", 6660, 1.20e22, 139),
    ("gpt3-13b", 12850, 2.31e22, 268),
    ("gpt3-175b", 174600, 3.14e23, 3640),
]


@pytest.mark.parametrize(("row", "counted"), list(zip(TABLE_D1, count_gpt3(), strict=True)))
def test_every_row_of_gpt_3_is_counted_as_printed(row, counted) -> None:
    name, millions, flops, pf_days = row
    assert counted.row.name == name
    assert counted.n_params / 1e6 == pytest.approx(millions, rel=0.005)
    assert counted.flops == pytest.approx(flops, rel=0.006)
    assert counted.pf_days == pytest.approx(pf_days, rel=0.006)


def test_the_two_rows_that_contradict_themselves_are_flagged() -> None:
    flawed = {each.row.name: each.flaw for each in count_gpt3() if each.flaw}
    assert list(flawed) == ["gpt3-xl", "gpt3-13b"]
    assert "24 heads of 128 make 3072, d_model is 2048" in str(flawed["gpt3-xl"])
    assert "40 heads of 128 make 5120, d_model is 5140" in str(flawed["gpt3-13b"])


def test_the_flawed_rows_are_read_as_their_parameters_ask() -> None:
    counted = {each.row.name: each for each in count_gpt3()}
    assert counted["gpt3-xl"].architecture.d_attn == 2048
    assert f"{counted['gpt3-13b'].n_params / 1e6:.0f}" == "12851"  # 12,850 printed
    other = count_params(readings(GPT_3[6])[0]).total
    assert f"{other / 1e6:.0f}" == "12934"  # d_model 5140 with 40 heads of 128


def test_rows_without_a_flaw_have_one_reading() -> None:
    assert [len(readings(row)) == 1 for row in GPT_3] == [1, 1, 1, 0, 1, 1, 0, 1]


def test_gpt_3_took_3_14e23_flops_and_3640_pf_days() -> None:
    last = count_gpt3()[-1]
    assert (f"{last.flops:.2e}", f"{last.pf_days:.2e}") == ("3.14e+23", "3.64e+03")


def test_gpt_3s_unprinted_band_moves_compute_by_two_percent_at_most() -> None:
    last = count_gpt3()[-1]
    attention = 12 * 96 * 12288 * 2048 * 300e9
    saved = last.flops_matmul - last.flops_matmul_least
    assert saved == pytest.approx(attention / 2 * 2047 / 2048, rel=1e-12)
    assert 0.01 < saved / last.flops_matmul < 0.02


def test_an_unknown_model_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean mixtral-8x7b"):
        find_model("mixtral")
