import re
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
    assert str(caught.value) == (
        "bad.toml: 3 mistakes\n"
        "  tokenizer is 'words', expected bytes, or bpe-K with K from 257 to 65536\n"
        "  recipe.lr is 7.0, expected between 0 and 1\n"
        "  rungs[0].seeds is 0, expected 1 to 64"
    )


def test_mistakes_of_form_and_of_sense_come_in_one_message() -> None:
    text = print_ladder(make_ladder()).replace("lr = 0.004", "lr = 7.0")
    text = text.replace("n_head = 2", "n_head = 3").replace("held_out_every", "hold_out_every")
    text = text.replace('"bytes"', '"words"').replace(
        "token_budgets = [65536]", "token_budgets = 5"
    )
    with pytest.raises(SpecError) as caught:
        parse_ladder(text, source="bad.toml")
    assert caught.value.mistakes == (
        "tokenizer is 'words', expected bytes, or bpe-K with K from 257 to 65536",
        "recipe.lr is 7.0, expected between 0 and 1",
        "evaluation: unknown key 'hold_out_every'; did you mean held_out_every?",
        "rungs[0]: d_attn = 16 is not divisible by n_head = 3; choose a head count that divides it",
        "rungs[1].token_budgets is 5, expected a list of whole numbers",
    )


def test_what_a_field_without_form_would_decide_is_not_held_against_others() -> None:
    """A default in its place would make mistakes that nobody wrote."""
    text = print_ladder(make_ladder()).replace("curve_tokens = 65536", "curve_tokens = 200000")
    for right, wrong, said in (
        ("batch_tokens = 256", 'batch_tokens = "96"', "recipe.batch_tokens is '96', expected a w"),
        ("\ntokens = 262144", "\ntokens = 1.5", "evaluation.tokens is 1.5, expected a whole n"),
        ('"bytes"', "8", "tokenizer is 8, expected text"),
        ("token_budgets = [65536]", "token_budgets = [true]", "rungs[1].token_budgets[0] is true"),
    ):
        with pytest.raises(SpecError) as caught:
            parse_ladder(text.replace("n_ctx = 64", "n_ctx = 32").replace(right, wrong))
        (mistake,) = caught.value.mistakes
        assert mistake.startswith(said)


def test_mistakes_of_every_phase_come_in_one_message() -> None:
    """Duplicate names, contexts, rates and corpora were told after the others were mended."""
    text = print_ladder(make_ladder()).replace('"d32"', '"d16"').replace('"sotu"', '"sotuu"')
    text = text.replace("seeds = 2", "seeds = 2\nlrs = [0.1, 7.0]").replace("eps = ", "eps = 4 # ")
    text = text.replace("n_ctx = 64", "n_ctx = 48", 1).replace("d_ff = 64", "d_ff = true")
    text = text.replace("lr = 0.004", 'lr = "fast"')
    with pytest.raises(SpecError) as caught:
        parse_ladder(text, corpora=lambda name: "" if name == "sotu" else "expected sotu")
    assert caught.value.mistakes == (
        "corpus is 'sotuu', expected sotu",
        "recipe.lr is 'fast', expected a number",
        "recipe.eps is 4.0, expected between 0 and 1",
        "rungs[0].d_ff is true, expected a whole number",
        "rungs: the name 'd16' appears 2 times (rungs[0], rungs[1]), expected once",
        "rungs: n_ctx is 48 and 64, expected the same for every rung, or losses do not compare",
        "rungs[0].lrs is [0.1, 7.0], expected rates between 0 and 1",
        "rungs[0].n_ctx is 48, which does not divide recipe.batch_tokens = 256",
    )
    sets = (
        print_ladder(make_ladder())
        .replace("test_sets", "")
        .replace("[evaluation]\n", '[evaluation]\ntest_sets = ["sotu", "b"]\n')
    )
    with pytest.raises(SpecError, match=r"^ladder: evaluation\.test_sets\[1\] is 'b', expected s"):
        parse_ladder(sets, corpora=lambda name: "" if name == "sotu" else "expected sotu")


def test_a_sentence_of_many_rungs_is_said_once() -> None:
    rung = '[[rungs]]\nname = "a{}"\nn_layer=1\nd_model=8\nn_ctx=48\nseeds=1\n'
    rungs = "".join(rung.format(i) + "token_budgets=[65536]\n" for i in range(7))
    with pytest.raises(SpecError) as caught:
        parse_ladder('name="a"\ncorpus="sotu"\ntokenizer="bytes"\n' + rungs)
    assert caught.value.mistakes == (
        "rungs[0].n_ctx is 48, which does not divide recipe.batch_tokens = 256 "
        "(also rungs[1], rungs[2], rungs[3], rungs[4] and 2 more)",
    )


@pytest.mark.parametrize(
    "table", ["[[rungs]]", "[grid]", "[grid.own.d8]", "[depth]", "[isoflop]", "[design]"]
)
def test_a_bracket_of_no_rates_is_refused(table: str) -> None:
    head = 'name="a"\ncorpus="sotu"\ntokenizer="bytes"\n'
    with pytest.raises(SpecError) as caught:
        parse_ladder(f"{head}{table}\nlrs = []\n")
    path = table.strip("[]").replace("rungs", "rungs[0]")
    said = f"{path}.lrs is empty, expected at least one rate; left out, it is the recipe's"
    assert said in caught.value.mistakes


@pytest.mark.parametrize(("tokenizer", "vocab"), [("bytes", 256), ("bpe-1024", 1024)])
def test_a_vocabulary_left_out_is_the_tokenizer_s(tokenizer: str, vocab: int) -> None:
    text = print_ladder(make_ladder()).replace("n_vocab = 256\n", "").replace("bytes", tokenizer)
    ladder = parse_ladder(text)
    assert [rung.architecture.n_vocab for rung in ladder.rungs] == [vocab, vocab]
    assert parse_ladder(print_ladder(ladder)) == ladder


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("seeds = 2", "seeds = 2.5", "rungs[0].seeds is 2.5, expected a whole number"),
        ("seeds = 2", "seeds = true", "rungs[0].seeds is true, expected a whole number"),
        ("seeds = 2", "seeds = [1]", "rungs[0].seeds is [1], expected a whole number"),
        ("seeds = 2", "seeds = {a = 1}", "rungs[0].seeds is a table, expected a whole number"),
        ("tied = false", 'tied = "no"', "rungs[0].tied is 'no', expected true or false"),
        ("seeds = 2", "seeds = 2\nlrs = 0.1", "rungs[0].lrs is 0.1, expected a list of numbers"),
        ("lr = 0.004", "lr = 1979-05-27", "recipe.lr is 1979-05-27, expected a number"),
        ("[65536]", '"65536"', "rungs[1].token_budgets is '65536', expected a list of whole numb"),
        ("[65536]", '["a"]', "rungs[1].token_budgets[0] is 'a', expected a whole number"),
        ('"sotu"', "3", "corpus is 3, expected text"),
        ('"sotu"', "[]", "corpus is [], expected text"),
        ("tokens = 262144", 'tokens = 262144\ntest_sets = "sotu"',
         "evaluation.test_sets is 'sotu', expected a list of texts"),
        ("n_layer = 2\n", "family = []\nn_layer = 2\n", "rungs[0]: family is [], expected transf"),
    ],
)  # fmt: skip
def test_kinds_are_in_plain_words(right: str, wrong: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_ladder(print_ladder(make_ladder()).replace(right, wrong, 1))
    assert any(each.startswith(said) for each in caught.value.mistakes), caught.value
    python = r"\b(int|float|str|bool|tuple|dict|NoneType|iterable|object|datetime)\b"
    assert not re.search(python, str(caught.value))


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("lr = ", "lrr = ", "x: recipe: unknown key 'lrr'; did you mean lr or lr_rule?"),
        ("d_ff = ", "dff = ", "x: rungs[0]: unknown key 'dff'; did you mean d_ff? (also rungs[1])"),
        ('"auto"', '"fp8"', "x: recipe.precision is 'fp8', expected auto, float32 or bfloat16"),
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
    assert "rungs[0].seeds is 'two', expected a whole number" in message


@pytest.mark.parametrize("text", ["", "name = ", "rungs = 3", "[[rungs]]\nname = 1", "a = nan"])
def test_bad_text_is_one_spec_error_of_a_line_a_mistake(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_ladder(text)
    assert str(caught.value).count("\n") == len(caught.value.mistakes)
    assert len(set(caught.value.mistakes)) == len(caught.value.mistakes)


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
