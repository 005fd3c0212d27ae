from dataclasses import replace
from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.base.errors import InputError, SpecError
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung, rung_flops
from isoflop.runs.ladders.toml import ladder_hash, parse_ladder, print_ladder, read_ladder

SHAPE = Architecture(n_layer=2, d_model=16, n_head=2, n_ctx=64, n_vocab=256, tied=False)


def make_ladder() -> Ladder:
    wide = Architecture(n_layer=2, d_model=32, n_ctx=64, n_vocab=256, positions="rotary")
    rungs = (Rung("d16", SHAPE, 2, (65536, 131072)), Rung("d32", wide, 1, (65536,)))
    return Ladder("demo", "sotu", "bytes", rungs, Recipe(batch_tokens=256), Evaluation(), 7)


def test_a_printed_ladder_reads_back_equal() -> None:
    ladder = make_ladder()
    assert parse_ladder(print_ladder(ladder)) == ladder


def test_the_hash_changes_with_anything_that_changes_a_run() -> None:
    ladder = make_ladder()
    others = [
        replace(ladder, seed=8),
        replace(ladder, recipe=replace(ladder.recipe, lr=0.001)),
        replace(ladder, rungs=ladder.rungs[:1]),
    ]
    hashes = {ladder_hash(each) for each in [ladder, *others]}
    assert len(hashes) == 4
    assert ladder_hash(make_ladder()) == ladder_hash(ladder)


def test_a_ladder_expands_to_one_run_per_rung_budget_and_seed() -> None:
    runs = list(make_ladder().runs())
    assert [run.id for run in runs] == [
        "d16-s0-t65536",
        "d16-s1-t65536",
        "d16-s0-t131072",
        "d16-s1-t131072",
        "d32-s0-t65536",
    ]
    assert runs[2].flops == flops_per_token(SHAPE).matmul * 131072
    assert runs[2].steps == 512


def test_a_budget_is_rounded_to_whole_steps() -> None:
    ladder = Ladder("x", "sotu", "bytes", (Rung("a", SHAPE, 1, (100_000,)),), Recipe())
    (run,) = ladder.runs()
    assert run.n_tokens == 391 * 256


def test_a_rung_costs_its_trunk_once_and_every_cooldown() -> None:
    rung = Rung("d16", SHAPE, 2, (65536, 131072))
    tokens = 0.8 * 131072 + 0.2 * (65536 + 131072)
    expected = 2 * tokens * flops_per_token(SHAPE).matmul
    assert rung_flops(rung, Recipe()) == pytest.approx(expected)


def test_every_mistake_of_a_ladder_is_reported_at_once() -> None:
    text = print_ladder(make_ladder()).replace("lr = 0.004", "lr = 7.0")
    text = text.replace('"bytes"', '"words"').replace("seeds = 2", "seeds = 0")
    with pytest.raises(SpecError) as caught:
        parse_ladder(text, source="bad.toml")
    message = str(caught.value)
    assert message.startswith("bad.toml: ")
    for part in ("recipe.lr is 7.0", "tokenizer is 'words'", "rungs[0].seeds is 0"):
        assert part in message
    assert "\n" not in message
    assert message.count("recipe.lr") == 1
    assert message.count("ladder: ") == 0


def test_mistakes_of_form_and_of_sense_come_in_one_message() -> None:
    text = print_ladder(make_ladder()).replace("lr = 0.004", "lr = 7.0")
    text = text.replace("n_head = 2", "n_head = 3").replace("held_out_every", "hold_out_every")
    text = text.replace('"bytes"', '"words"').replace(
        "token_budgets = [65536]", "token_budgets = 5"
    )
    with pytest.raises(SpecError) as caught:
        parse_ladder(text, source="bad.toml")
    assert str(caught.value) == (
        "bad.toml: rungs[0]: d_attn = 16 is not divisible by n_head = 3; choose a head count that "
        "divides it; rungs[1].token_budgets: expected a list; "
        "evaluation: unknown key 'hold_out_every'; did you mean held_out_every?; "
        "tokenizer is 'words', expected bytes, or bpe-K with K from 257 to 65536; "
        "recipe.lr is 7.0, expected between 0 and 1"
    )


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("lr = ", "lrr = ", "x: recipe: unknown key 'lrr'; did you mean lr or lr_rule?"),
        ("d_ff = ", "dff = ", "x: rungs[0]: unknown key 'dff'; did you mean d_ff?; rungs[1]"),
        ('"auto"', '"fp8"', "x: recipe.precision: expected auto or float32 or bfloat16, found"),
        ("n_vocab = 256", "n_vocab = 300", "x: rungs[0].n_vocab is 300, but tokenizer bytes has "),
        ('"bytes"', '"bpe-512"', "x: rungs[0].n_vocab is 256, but tokenizer bpe-512 has 512 "),
        ('"bytes"', '"bpe-100"', "x: tokenizer is 'bpe-100', expected bytes, or bpe-K with K"),
        ("[recipe]", "[recipe.x]", "x: recipe: unknown key 'x'; known: "),
    ],
)
def test_a_mistake_is_said_in_the_words_of_the_file(right: str, wrong: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_ladder(print_ladder(make_ladder()).replace(right, wrong), source="x")
    assert str(caught.value).startswith(message)


def test_unknown_keys_missing_keys_and_wrong_types_name_their_paths() -> None:
    text = print_ladder(make_ladder()).replace("lr = ", "learning_rate = ")
    text = text.replace('corpus = "sotu"\n', "").replace("seeds = 2", 'seeds = "two"')
    with pytest.raises(SpecError) as caught:
        parse_ladder(text)
    message = str(caught.value)
    assert "learning_rate" in message
    assert "corpus" in message
    assert "rungs[0].seeds: expected int, found 'two'" in message


@pytest.mark.parametrize("text", ["", "name = ", "rungs = 3", "[[rungs]]\nname = 1", "a = nan"])
def test_bad_text_is_one_line_of_spec_error(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_ladder(text)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(InputError, match=r"none\.toml"):
        read_ladder(tmp_path / "none.toml")


def test_a_bad_shape_is_reported_with_its_rung() -> None:
    text = print_ladder(make_ladder()).replace("d_model = 16", "d_model = -16")
    with pytest.raises(SpecError, match=r"rungs\[0\]"):
        parse_ladder(text)


def test_the_ladder_in_the_documentation_is_one() -> None:
    text = (Path(__file__).parents[3] / "docs" / "formats.md").read_text(encoding="utf-8")
    ladder = parse_ladder(text.split("```toml\n")[1].split("```")[0])
    assert parse_ladder(print_ladder(ladder)) == ladder
    plain = replace(ladder.evaluation, test_sets=(), noise_tokens=0)  # shown, not defaults
    assert (ladder.recipe, plain) == (Recipe(), Evaluation())
