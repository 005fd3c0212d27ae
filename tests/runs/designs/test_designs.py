"""Designs: what each table expands to, held against counts done by hand, and printed back."""

import math
import re
import tomllib
from dataclasses import fields, replace

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.base.errors import SpecError
from isoflop.runs.designs.dial import Dial
from isoflop.runs.designs.examples import EXAMPLES
from isoflop.runs.designs.tables import DESIGNS
from isoflop.runs.ladders.filled import print_filled
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe
from isoflop.runs.ladders.shapes import FAMILIES as KEYS
from isoflop.runs.ladders.toml import ladder_hash, parse_ladder, print_ladder, print_spec

HEAD = 'name = "a"\ncorpus = "sotu"\ntokenizer = "bytes"\n'


def parse(table: str, tokenizer: str = "bytes") -> Ladder:
    return parse_ladder(HEAD.replace("bytes", tokenizer) + table)


def mistakes(table: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(table)
    return str(caught.value)


def test_a_token_grid_is_every_size_at_every_number_of_tokens() -> None:
    table = "[grid]\nwidths=[16, 8]\ntoken_budgets=[8192, 4096]\nn_ctx=64\nn_layer=3\nseeds=2"
    ladder = parse(table)
    cells = {(r.rung.architecture.d_model, r.n_tokens, r.seed) for r in ladder.runs()}
    assert cells == {(w, t, s) for w in (8, 16) for t in (4096, 8192) for s in (0, 1)}
    assert {(r.architecture.n_layer, r.architecture.n_vocab) for r in ladder.rungs} == {(3, 256)}


def test_a_depth_follows_the_numbers_of_nanochat() -> None:
    """Its train script: depth · 64 rounded up to heads of 128; D = ratio · (layers + head)."""
    ladder = parse("[depth]\ndepths=[12, 3]\ntokens_per_param=[12.0]\nn_ctx=64\n", "bpe-1024")
    shapes = [(r.architecture.n_layer, r.architecture.d_model, r.architecture.n_head)
              for r in ladder.rungs]  # fmt: skip
    assert shapes == [(3, 256, 2), (12, 768, 6)]
    head = 1024 * 768
    assert ladder.rungs[1].token_budgets == (12 * (12 * 12 * 768**2 + head),)


def test_the_example_of_a_depth_is_what_its_comments_say() -> None:
    text = EXAMPLES["depth"]
    ladder = parse_ladder(text)
    said = re.search(r"four sizes: d_model ([\d, ]+)", text)
    assert said
    assert [int(width) for width in said[1].split(",")] == [
        rung.architecture.d_model for rung in ladder.rungs
    ]
    for rung in ladder.rungs:
        layers, width = rung.architecture.n_layer, rung.architecture.d_model
        assert rung.token_budgets == (10 * (12 * layers * width**2 + 256 * width),)


def test_runs_of_one_isoflop_budget_cost_that_budget() -> None:
    table = "[isoflop]\nbudgets=[1e10, 4e10]\nwidths=[8, 16, 32]\nn_ctx=64\n"
    ladder = parse(table)
    for rung in ladder.rungs:
        each = flops_per_token(rung.architecture).matmul
        costs = [tokens * each for tokens in rung.token_budgets]
        assert costs == pytest.approx([1e10, 4e10], rel=1e-4)


def test_a_valley_lies_around_the_ratio_asked_for() -> None:
    table = "[isoflop]\nbudgets=[1e10]\nwidths=[4, 8, 12, 16, 24, 32, 48]\nn_ctx=64\n"
    chosen = parse(table + "sizes_per_budget=3\ntokens_per_param=50.0")
    every = parse(table)
    ratio = {
        r.architecture.d_model: r.token_budgets[0] / count_params(r.architecture).total
        for r in every.rungs
    }
    nearest = min(ratio, key=lambda width: abs(math.log(ratio[width] / 50)))
    widths = [rung.architecture.d_model for rung in chosen.rungs]
    assert widths[1] == nearest
    assert widths == sorted(ratio)[sorted(ratio).index(nearest) - 1 :][:3]


def test_proposed_runs_get_the_nearest_shape() -> None:
    runs = [[30000, 100000], [30100, 200000], [900000, 300000], [900000, 300000]]
    ladder = parse(f"[design]\nruns={runs}\nn_ctx=64\nn_layer=2\nhead_width=8")
    small, large = ladder.rungs
    assert (small.token_budgets, small.seeds) == ((100000, 200000), 1)
    assert (large.token_budgets, large.seeds) == ((300000,), 2)
    for rung, wanted in ((small, 30000), (large, 900000)):
        found = {
            width: count_params(Architecture(n_layer=2, d_model=width, n_head=1, n_ctx=64,
                                             n_vocab=256, positions="rotary")).total
            for width in range(8, 400, 8)
        }  # fmt: skip
        best = min(found, key=lambda width: abs(math.log(found[width] / wanted)))
        assert rung.architecture.d_model == best


def test_a_proposal_without_layers_keeps_the_aspect() -> None:
    (rung,) = parse("[design]\nruns=[[85e6, 2e6]]\nn_ctx=64\nn_layer=0\n").rungs
    assert rung.architecture.n_layer == 12  # GPT-2 small: 12 layers of 768, 85M without tables
    assert abs(rung.architecture.d_model - 768) <= 8


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_reads_and_prints_back_with_its_table(name: str) -> None:
    ladder = parse_ladder(EXAMPLES[name])
    printed = print_spec(ladder)
    again = parse_ladder(printed)
    assert again == ladder
    assert again.design == ladder.design
    assert f"[{name}]" in printed
    assert parse_ladder(print_ladder(ladder)) == ladder
    assert print_spec(again) == printed


FAMILIES = """
[recipe]
name = "porian"
batch_tokens = 256
[evaluation]
test_sets = ["linux-c"]
[[rungs]]
name = "a"
family = "lstm"
n_layer = 2
d_model = 8
n_ctx = 64
seeds = 1
token_budgets = [8192]
start = "other/runs/a"
[[rungs]]
name = "b"
d_model = 8
n_layer = 1
n_ctx = 64
seeds = 1
token_budgets = [8192]
"""


@pytest.mark.parametrize(
    ("text", "design"),
    [
        *((text, name) for name, text in EXAMPLES.items()),
        (HEAD + "[depth]\ndepths=[1]\nn_ctx=64\n[depth.own.depth1]\nlrs=[0.01]", "depth"),
        (HEAD + "[design]\nruns=[[85e6, 2e6]]\nn_ctx=64\nn_layer=0\n", "design"),
        (HEAD + "max_epochs = 9.0\n" + FAMILIES, "rungs"),
    ],
)
def test_a_filled_file_has_every_key_and_is_the_same_ladder(text: str, design: str) -> None:
    ladder = parse_ladder(text)
    filled = print_filled(ladder)
    again, document = parse_ladder(filled), tomllib.loads(filled)
    assert (again, ladder_hash(again)) == (ladder, ladder_hash(ladder))
    assert print_filled(again) == filled
    keys = [set(document), set(document["recipe"]), set(document["evaluation"])]
    head = {"name", "corpus", "tokenizer", "seed", "max_epochs", "recipe", "evaluation", design}
    assert keys == [head, {f.name for f in fields(Recipe)}, {f.name for f in fields(Evaluation)}]
    if design == "rungs":
        every = [set(rung) | {"lrs", "start"} for rung in document["rungs"]]
        common = {"name", "family", "dropout", "seeds", "token_budgets", "lrs", "start"}
        assert all(row >= common | {"tied", "n_ctx", "n_vocab"} for row in every)
        assert every[-1] == common | set(KEYS["transformer"].keys)
    else:
        may_lack = {"widths", "depths", "aspect", "n_layer", "n_head", "head_width", "lrs", "own"}
        every = {f.name for f in (*fields(Dial), *fields(DESIGNS[design]))} - {"dial"}
        assert every - set(document[design]) <= may_lack
        assert set(document[design]) <= every


def test_a_design_is_no_part_of_a_ladder_s_identity() -> None:
    ladder = parse_ladder(EXAMPLES["isoflop"])
    assert ladder_hash(ladder) == ladder_hash(replace(ladder, design=None))
    assert ladder == replace(ladder, design=None)


def test_a_ladder_that_left_its_design_is_printed_rung_by_rung() -> None:
    ladder = parse_ladder(EXAMPLES["grid"])
    tuned = replace(ladder, rungs=tuple(replace(r, lrs=(0.01,)) for r in ladder.rungs))
    assert parse_ladder(print_spec(tuned)) == tuned
    assert "[[rungs]]" in print_spec(tuned)


def test_a_rung_has_seeds_and_rates_of_its_own() -> None:
    table = "[grid]\nwidths=[8, 16]\ntoken_budgets=[4096]\nn_ctx=64\nseeds=3\nlrs=[0.01]\n"
    ladder = parse(table + "[grid.own.d16]\nseeds=1\nlrs=[0.002, 0.004]\n")
    assert [(r.seeds, r.lrs) for r in ladder.rungs] == [(3, (0.01,)), (1, (0.002, 0.004))]


def test_all_mistakes_of_a_design_come_at_once_each_with_its_path() -> None:
    text = "[recipe]\nlr=7.0\n[isoflop]\nbudgets=[-1.0]\nwidths=[0, 8]\ndepths=[1]\nseeds=0\n"
    text += "sizes_per_budget=-2\naspct=3\nn_ctx=96\nn_vocab=9\nlrs=[5.0]\n"
    assert mistakes(text + "n_head=4.5\n[evaluation]\ntokens=0").splitlines() == [
        "ladder: 13 mistakes",
        "  recipe.lr is 7.0, expected between 0 and 1",
        "  isoflop.n_head is 4.5, expected a whole number",
        "  isoflop: unknown key 'aspct'; did you mean aspect?",
        "  isoflop.widths[0] is 0, expected 1 to 1048575",
        "  isoflop: give widths or depths, one of them",
        "  isoflop.budgets[0] is -1, expected a positive number",
        "  isoflop.sizes_per_budget is -2, expected 0 (all) or 1 to 2 (the number of sizes)",
        "  isoflop.seeds is 0, expected 1 to 64",
        "  isoflop.lrs is [5.0], expected rates between 0 and 1",
        "  isoflop.n_vocab is 9, but tokenizer bytes has 256 tokens; set n_vocab = 256, or leave "
        "it out",
        "  isoflop.n_ctx is 96, which does not divide recipe.batch_tokens = 256",
        "  evaluation.tokens is 0, expected at least 1",
        "  evaluation.curve_tokens is 65536, expected 1 to evaluation.tokens = 0",
    ]


def test_a_sentence_of_every_rung_stands_once_at_the_key_that_was_written() -> None:
    sizes = "widths=[8, 12, 16, 24]\n"
    assert mistakes(f"[isoflop]\nbudgets=[1e10]\n{sizes}n_ctx=65") == (
        "ladder: isoflop.n_ctx is 65, which does not divide recipe.batch_tokens = 256"
    )
    own = "[grid.own.d12]\nlrs=[9.0]\nseeds=65"
    assert mistakes(f"[grid]\n{sizes}token_budgets=[8192]\nn_ctx=64\nlrs=[2.0]\n{own}").split(
        "\n  "
    ) == [
        "ladder: 3 mistakes",
        "grid.lrs is [2.0], expected rates between 0 and 1",
        "grid.own.d12.seeds is 65, expected 1 to 64",
        "grid.own.d12.lrs is [9.0], expected rates between 0 and 1",
    ]
    short = mistakes(f"[isoflop]\nbudgets=[1e8]\n{sizes}n_ctx=64")
    found = re.fullmatch(
        r"ladder: isoflop\.budgets: at d12: (\d+) is below 10 steps \(2560 tokens\) "
        r"\(also d16, d24\)",
        short,
    )
    assert found, short
    shape = Architecture(2, 12, n_head=1, n_ctx=64, n_vocab=256, positions="rotary")
    assert int(found[1]) == round(1e8 / flops_per_token(shape).matmul)
    assert mistakes(f"[isoflop]\nbudgets=[10.0, 1e3]\n{sizes}n_ctx=64") == (
        "ladder: isoflop.budgets: at d8: 0 is below 10 steps (2560 tokens) (also d12, d16, d24)"
    )
    assert mistakes("[grid]\nwidths=[6, 10, 12]\nn_head=4\ntoken_budgets=[8192]\nn_ctx=64") == (
        "ladder: grid.n_head is 4, which does not divide the width of d6, d10"
    )


def test_no_mistake_of_a_table_waits_for_another_to_be_mended() -> None:
    grid = "[grid]\nwidths=[8, 8, 10]\nn_head=4\nn_ctx=100\n"
    grid += "token_budgets=['a', 100, 200, -5, 1e5]\n[grid.own.d8]\nlr=2\n[grid.own.d99]\nseeds=2\n"
    wrong_grid = [
        "  grid.own.d8: unknown key 'lr'; did you mean lrs?",
        "  grid.token_budgets[0] is 'a', expected a whole number",
        "  grid.token_budgets[4] is 100000.0, expected a whole number; write 100000",
        "  grid.widths: 8 appears 2 times, expected once",
        "  grid.token_budgets[3] is -5, expected a positive number",
        "  grid.n_head is 4, which does not divide the width of d10",
        "  grid.own.d99: no such rung; known: d10, d8",
        "  grid.n_ctx is 100, which does not divide recipe.batch_tokens = 256",
        "  grid.token_budgets: 100 and 200 are below 10 steps (2560 tokens)",
    ]
    assert mistakes(grid).splitlines() == ["ladder: 9 mistakes", *wrong_grid]
    isoflop = "[isoflop]\nwidths=[8, 12]\nbudgets=['b', -1, 1e10]\nsizes_per_budget=9\nn_head=5\n"
    rungs = "[[rungs]]\nname='a'\nn_layer=1\nd_model=8\nn_ctx=64\nseeds=0\ntoken_budgets=['c', 5]"
    assert mistakes(grid + isoflop + "n_ctx=64\n" + rungs).splitlines() == [
        "ladder: 17 mistakes",
        "  the rungs come from [[rungs]] and [isoflop] and [grid], expected one of them",
        *wrong_grid,
        "  isoflop.budgets[0] is 'b', expected a number",
        "  isoflop.budgets[1] is -1, expected a positive number",
        "  isoflop.sizes_per_budget is 9, expected 0 (all) or 1 to 2 (the number of sizes)",
        "  isoflop.n_head is 5, which does not divide the width of d8, d12",
        "  rungs[0].token_budgets[0] is 'c', expected a whole number",
        "  rungs[0].seeds is 0, expected 1 to 64",
        "  rungs[0].token_budgets: 5 is below 10 steps (2560 tokens)",
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("[grid]\nwidths=[30]\nn_head=4\ntoken_budgets=[8192]\nn_ctx=64",
         "grid.n_head is 4, which does not divide the width of d30"),
        ("[grid]\nwidths=[8]\ntoken_budgets=[8192]\nn_ctx=64\n[grid.own.d9]\nseeds=1",
         "grid.own.d9: no such rung; known: d8"),
        ("[grid]\nwidths=[8]\ntoken_budgets=[100]\nn_ctx=64",
         "grid.token_budgets: 100 is below 10 steps (2560 tokens)"),
        ("[grid]\nwidths=[8]\ntoken_budgets=[8192]\nn_ctx=65",
         "grid.n_ctx is 65, which does not divide recipe.batch_tokens = 256"),
        ("[grid]\nwidths='x'\ntoken_budgets=[8192]", "grid.widths is 'x', expected a list of wh"),
        ("[grid]\nwidths=[8.5]\ntoken_budgets=[8192]", "grid.widths[0] is 8.5, expected a whole n"),
        ("[grid]\nwidths=[8]", "grid.token_budgets is missing, expected a list of whole numbers"),
        ("grid = 3", "grid is 3, expected a table"),
        ("[design]\nruns=[[1e4]]", "design.runs[0] is [10000.0], expected a list of 2 numbers"),
        ("[grid]\nwidths=[8]\ntoken_budgets=[9]\n[depth]\ndepths=[1]",
         "the rungs come from [depth] and [grid], expected one of them"),
        ("[grid]\nwidths=[8, 8]\ntoken_budgets=[8192]\nn_ctx=64",
         "grid.widths: 8 appears 2 times, expected once"),
        ("[isoflop]\nwidths=[8, 12]\nbudgets=[1e10]\nsizes_per_budget=3\nn_ctx=64",
         "isoflop.sizes_per_budget is 3, expected 0 (all) or 1 to 2 (the number of sizes)"),
        ("[depth]\ndepths=[1]\ntokens_per_param=[1e308]\nn_ctx=64",
         "depth.tokens_per_param[0] is 1e+308, expected a positive number up to 1e+40"),
        ("[depth]\ndepths=[1]\ntokens_per_param=[1e30]\nn_ctx=64",
         "depth.tokens_per_param: at depth1: 2.29376e+35 tokens, expected at most 1e+18"),
        ("[isoflops]\nbudgets=[1e9]", "unknown key 'isoflops'; did you mean isoflop?"),
        ("", "rungs is missing, expected [[rungs]], or one of the tables [depth], [isoflop]"),
    ],
)  # fmt: skip
def test_a_mistake_names_its_place(table: str, message: str) -> None:
    assert message in mistakes(table)
