"""`isoflop count`, `convert` and `cost` as a user types them."""

import json

import pytest


def test_a_plain_shape_counts_as_before_and_by_group(isoflop) -> None:
    document = isoflop("count", "--n-layer", "12", "--d-model", "768", "--json").document
    assert document["n_params"] == {
        "non_embedding": 84_934_656, "embedding": 39_383_808, "head": 0, "total": 124_318_464,
    }  # fmt: skip
    assert document["groups"]["attention"] + document["groups"]["feed_forward"] == 84_934_656
    assert document["groups"]["token_embedding"] == 50257 * 768
    assert document["groups"]["position"] == 1024 * 768
    assert document["n_params_active"] == document["n_params"]


def test_text_shows_every_group_and_convention(isoflop) -> None:
    result = isoflop("count", "--n-layer", "12", "--d-model", "768")
    document = isoflop("count", "--n-layer", "12", "--d-model", "768", "--json").document
    for name in document["groups"]:
        assert f"group {name} " in result.out
    for name in document["flops_per_token"]:
        assert f"FLOPs/token {name} " in result.out
    assert "84,934,656" in result.out
    assert "N active" not in result.out


@pytest.mark.parametrize(
    ("options", "name", "expected"),
    [
        ("--n-expert 8 --n-active 2", "total", 124_318_464 + 12 * (7 * 2 * 768 * 3072 + 768 * 8)),
        ("--passes 4", "total", 124_318_464),
        ("--span alternating --band 64", "total", 124_318_464),
        ("--gated", "non_embedding", 84_934_656 + 12 * 768 * 3072),
        ("--n-kv-head 4", "non_embedding", 84_934_656 - 12 * 2 * 768 * 512),
        ("--norm layer --biases", "total", 124_439_808),
        ("--untied --positions rotary", "embedding", 50257 * 768),
    ],
)
def test_options_of_transformers(isoflop, options: str, name: str, expected: int) -> None:
    result = isoflop("count", "--n-layer", "12", "--d-model", "768", *options.split(), "--json")
    assert result.document["n_params"][name] == expected


def test_active_parameters_are_told_apart(isoflop) -> None:
    result = isoflop("count", "--model", "mixtral-8x7b")
    assert "46,702,792,704" in result.out
    assert "N active total" in result.out
    assert "12,879,925,248" in result.out


def test_other_families(isoflop) -> None:
    shape = ["--n-layer", "2", "--d-model", "650", "--n-vocab", "10000", "--json"]
    lstm = isoflop("count", "--family", "lstm", "--untied", "--biases", *shape).document
    # Zaremba 2014, medium: 20M (one bias vector a layer there, two here).
    assert f"{lstm['n_params']['total'] / 1e6:.0f}" == "20"
    assert lstm["groups"]["recurrence"] == 2 * 4 * 650 * 1300
    conv = isoflop("count", "--family", "conv", "--kernel", "4", "--gated", *shape).document
    assert conv["groups"]["convolution"] == 2 * 4 * 650 * 1300


def test_gpt_3_is_3_14e23_flops_and_3640_pf_days(isoflop) -> None:
    document = isoflop("count", "--model", "gpt3-175b", "--json").document
    assert f"{document['flops']['six_n_total']:.2e}" == "3.14e+23"
    assert f"{document['pf_days']['six_n_total']:.2e}" == "3.64e+03"


def test_the_attention_of_a_named_model_can_be_banded(isoflop) -> None:
    def matmul(*options: str) -> float:
        arguments = ("count", "--model", "gpt3-175b", *options, "--json")
        return isoflop(*arguments).document["flops_per_token"]["matmul"]

    saved = matmul() - matmul("--span", "alternating", "--band", "256")
    assert saved == 12 * 48 * 12288 * (2048 - 256)


def test_the_table_of_gpt_3_flags_two_rows(isoflop) -> None:
    rows = isoflop("count", "--table", "gpt3", "--json").document
    assert [row["name"] for row in rows if not row["consistent"]] == ["gpt3-xl", "gpt3-13b"]
    assert rows[-1]["printed"]["flops"] == 3.14e23
    out = isoflop("count", "--table", "gpt3").out
    assert out.count("\n! ") == 2
    assert "gpt3-13b !" in out


def test_training_is_priced(isoflop) -> None:
    arguments = ["count", "--model", "gpt3-175b", "--accelerator", "h100", "--gpus", "64"]
    arguments += ["--mfu", ".4"]
    cost = isoflop(*arguments, "--dollars-per-hour", "2", "--json").document["cost"]
    hours = 1_076_373_430_272 * 300e9 / (989.4e12 * 0.4 * 3600)
    assert cost["gpu_hours"] == pytest.approx(hours)
    assert cost["cost_usd"] == pytest.approx(2 * hours)
    assert cost["days"] == pytest.approx(hours / 64 / 24)
    assert cost["energy_kwh"] == pytest.approx(0.7 * hours)
    assert cost["min_gpus_for_states"] == 35
    other = isoflop(*arguments, "--convention", "six_n_total", "--json").document["cost"]
    assert f"{other['flops']:.2e}" == "3.14e+23"


def test_an_assumed_utilisation_is_a_range_and_said_to_be_assumed(isoflop) -> None:
    result = isoflop("cost", "--flops", "1e21", "--accelerator", "a100", "--json")
    document = result.document
    low, high = (document[name]["gpu_hours"] for name in ("at_high_mfu", "at_low_mfu"))
    assert low < document["gpu_hours"] < high
    assert any("assumed" in note for note in document["notes"])
    assert document["cost_usd"] is None
    given = isoflop("cost", "--flops", "1e21", "--accelerator", "a100", "--mfu", ".4", "--json")
    assert not any("assumed" in n for n in given.document["notes"] if "MFU" in n)
    assert "at_low_mfu" not in given.document


def test_the_users_peak_and_power_replace_the_tables(isoflop) -> None:
    arguments = "cost --flops 3.6e21 --peak 1e15 --mfu .5 --watts 1000 --pue 1.2 --json"
    document = isoflop(*arguments.split()).document
    assert document["gpu_hours"] == pytest.approx(2000)
    assert document["energy_kwh"] == pytest.approx(2400)


def test_dollars_buy_flops(isoflop) -> None:
    arguments = "cost --dollars 10k --accelerator h100 --mfu .4 --dollars-per-hour 2 --json"
    document = isoflop(*arguments.split()).document
    assert document["flops"] == pytest.approx(5000 * 3600 * 0.4 * 989.4e12)


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        ("3.14e23 FLOP PF-days", "3634.26 PF-days"),
        ("3.64e3 PF-days FLOP", "3.14496e+23 FLOP"),
        ("1.7 nats/token bits/char --using webtext2", "0.570368 bits/char"),
        ("1.7 nats/token bits/char --ratio 4.3char/token", "0.570368 bits/char"),
        ("300B tokens TB --using slides", "1.2 TB"),
        ("3 tokens words --using slides", "2 words"),
    ],
)
def test_conversions(isoflop, arguments: str, printed: str) -> None:
    assert isoflop("convert", *arguments.split()).out.splitlines()[0] == printed


def test_a_conversion_keeps_full_precision_and_its_ratios(isoflop) -> None:
    arguments = ["1.7", "nats/token", "bits/char", "--ratio", "4.3 char/token", "--json"]
    document = json.loads(isoflop("convert", *arguments).out)
    assert f"{document['value']:.3f}" == "0.570"
    assert document["ratios"] == ["4.3 char/token"]


@pytest.mark.parametrize("command", ["count", "convert", "cost"])
def test_lists(isoflop, command: str) -> None:
    listed = isoflop(command, "--list", "--json").document
    assert len(listed) >= 5
    assert all(each["source"] for each in listed)
    assert all(each["name"] in isoflop(command, "--list").out for each in listed)


SHAPE = "--n-layer 2 --d-model 64"
BAD = {
    "nothing": ("count", "give --n-layer and --d-model, or --model NAME"),
    "no width": ("count --n-layer 2", "--d-model is missing"),
    "unknown model": ("count --model gpt3-xxl", "did you mean gpt3-xl"),
    "name and shape": ("count --model gpt3-xl --d-ff 3", "has its own shape; drop --d-ff"),
    "other family": (f"count --family lstm {SHAPE} --band 3", "--band does not belong to --family"),
    "band of an lstm": ("count --model awd-lstm --band 3", "awd-lstm has no attention"),
    "band alone": ("count --model gpt3-xl --band 3", "a band needs span"),
    "no band": (f"count {SHAPE} --span banded", "needs a band of 1 to n_ctx"),
    "zero experts": (f"count {SHAPE} --n-expert 0", "--n-expert must be a positive integer"),
    "active alone": (f"count {SHAPE} --n-active 2", "--n-active needs --n-expert"),
    "price without tokens": (f"count {SHAPE} --accelerator h100", "give --n-tokens"),
    "convention alone": (
        f"count {SHAPE} --n-tokens 1B --convention kaplan",
        "--convention says which FLOPs to price",
    ),
    "table and model": ("count --table gpt3 --model gpt3-xl", "--table stands alone"),
    "no chip": ("cost --flops 1e20", "give --accelerator"),
    "unknown chip": ("cost --flops 1e20 --accelerator h1000", "did you mean h100"),
    "no such format": (
        "cost --flops 1e20 --accelerator v100 --dtype bf16",
        "v100 has no bf16 peak in the table",
    ),
    "percent": ("cost --flops 1e20 --accelerator h100 --mfu 40", "above 0 and at most 1; found 40"),
    "two amounts": ("cost --flops 1e20 --days 3 --accelerator h100", "give one of --flops"),
    "no amount": ("cost --accelerator h100", "give one of --flops"),
    "no price": ("cost --dollars 9 --accelerator h100", "give --dollars-per-hour"),
    "peak and format": (
        "cost --flops 1e20 --peak 1e15 --dtype bf16",
        "drop --dtype",
    ),
    "negative gpus": (
        "cost --flops 1e20 --accelerator h100 --gpus -1",
        "gpus must be a positive integer, found -1",
    ),
    "half a conversion": ("convert 3 FLOP", "give an amount and two units"),
    "dimensions": ("convert 3 FLOP nats/token", "no ratio turns one into the other"),
    "no loss": ("convert 0 nats/token bits/token", "expected a positive number, found '0'"),
    "no ratio given": ("convert 3 nats/token bits/byte", "bytes per token are not known"),
    "bad ratio": ("convert 3 nats/token bits/byte --ratio 4", "expected a ratio such as"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_with_the_way_out(isoflop, case: str) -> None:
    arguments, message = BAD[case]
    result = isoflop(*arguments.split())
    assert result.code == (1 if case == "no ratio given" else 2)
    assert message in result.error
