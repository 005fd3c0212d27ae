"""Families in ladder files: read, printed, refused."""

from pathlib import Path

import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.convolution import Convolutional
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.lstm import Lstm
from isoflop.accounting.params import count_params
from isoflop.accounting.transformer import Experts, Transformer
from isoflop.base.errors import SpecError
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.ladders.shapes import FAMILIES, MODEL_KEYS, family_name, model_label
from isoflop.runs.ladders.toml import ladder_hash, parse_ladder, print_ladder
from isoflop.store.manifest import describe_run

SHAPE = Architecture(n_layer=2, d_model=16, n_head=2, n_ctx=64, n_vocab=256, tied=False)
SMALL = {"n_layer": 2, "d_model": 16, "n_ctx": 64, "n_vocab": 256}
MODELS = {
    "plain": SHAPE,
    "alternating": Transformer(SHAPE, "alternating", 16),
    "banded-gated": Transformer(SHAPE, "banded", 16, gated=True),
    "recurrent": Transformer(SHAPE, passes=3),
    "lstm": Lstm(**SMALL, d_hidden=24, tied=False),
    "conv": Convolutional(**SMALL, kernel=4),
    "separable": Convolutional(**SMALL, kernel=8, kind="separable", gated=False),
}
HEAD = 'name = "a"\ncorpus = "sotu"\ntokenizer = "bytes"\n'
KEYS = "n_layer = 2\nd_model = 16\nn_ctx = 64\nn_vocab = 256\n"
REST = "seeds = 1\ntoken_budgets = [8192]\n"


def make_ladder(**rung) -> Ladder:
    rungs = (Rung(name, model, 2, (8192,), **rung) for name, model in MODELS.items())
    return Ladder("demo", "sotu", "bytes", tuple(rungs))


def file_of(*rungs: str) -> str:
    return HEAD + "".join(f"[[rungs]]\nname = 'r{i}'\n{r}\n" for i, r in enumerate(rungs))


def test_a_printed_ladder_of_every_family_reads_back_equal() -> None:
    ladder = make_ladder(dropout=0.1)
    assert parse_ladder(print_ladder(ladder)) == ladder


def test_a_plain_ladder_is_printed_as_before_there_were_families() -> None:
    """A study's identity is the hash of this text: it must never change."""
    rung = print_ladder(Ladder("a", "sotu", "bytes", (Rung("d16", SHAPE, 2, (8192,)),)))
    assert rung.split("[[rungs]]\n")[1] == (
        'name = "d16"\nn_layer = 2\nd_model = 16\nd_ff = 64\nd_attn = 16\nn_head = 2\n'
        'n_ctx = 64\nn_vocab = 256\ntied = false\npositions = "learned"\nseeds = 2\n'
        "token_budgets = [8192]\n"
    )


def test_a_transformer_with_nothing_beyond_is_the_plain_one_however_written() -> None:
    plain = Rung("a", SHAPE, 1, (8192,))
    assert Rung("a", Transformer(SHAPE), 1, (8192,)) == plain
    written = parse_ladder(file_of(f'family = "transformer"\nspan = "dense"\n{KEYS}{REST}'))
    assert isinstance(written.rungs[0].architecture, Architecture)


def test_the_hash_changes_with_the_family_and_with_dropout() -> None:
    hashes = {ladder_hash(make_ladder()), ladder_hash(make_ladder(dropout=0.1))}
    for model in MODELS.values():
        hashes.add(ladder_hash(Ladder("a", "sotu", "bytes", (Rung("a", model, 1, (8192,)),))))
    assert len(hashes) == 2 + len(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_run_is_counted_by_its_family(name: str) -> None:
    model, ladder = MODELS[name], make_ladder()
    run = next(run for run in ladder.runs() if run.rung.name == name)
    row = describe_run(run, ladder)
    assert row["n_params"] == count_params(model).total
    assert row["flops"] == flops_per_token(model).matmul * run.n_tokens
    width = 24 if name == "lstm" else 16
    assert row["n_params_with_head"] == count_params(model).non_embedding + 256 * width
    assert row["family"] == f"demo-{model_label(model)}"


def test_families_are_told_apart_in_the_run_table() -> None:
    assert [model_label(model) for model in MODELS.values()] == [
        "2layer",
        "alternating-2layer",
        "banded-gated-2layer",
        "3passes-2layer",
        "lstm-2layer",
        "conv-full-gated-2layer",
        "conv-separable-2layer",
    ]


def test_all_mistakes_of_all_rungs_come_at_once_with_their_paths() -> None:
    text = file_of(
        f'seeds = 0\ntoken_budgets = [8192]\nspan = "alternating"\nband = 80\npasses = 0\n{KEYS}',
        f'family = "lstm"\nd_ff = 3\nband = 3\ndropout = 1.0\n{KEYS}{REST}',
        f'family = "convolution"\n{KEYS}{REST}',
        f'family = "conv"\nkind = "fat"\ndropout = "a"\n{KEYS}{REST}',
        f'family = "conv"\nkernel = 65\n{KEYS}{REST}',
        f'n_head = 3\nd_ff = -1\nn_layers = 2\npositions = "rotary"\n{KEYS}{REST}',
        f'd_attn = 6\nn_head = 2\npositions = "rotary"\n{KEYS}{REST}',
        f'family = "lstm"\nd_hidden = 24\nn_layer = 1\n{KEYS[12:]}{REST}',
    )
    with pytest.raises(SpecError) as caught:
        parse_ladder(text, source="bad.toml")
    message = str(caught.value)
    assert message.startswith("bad.toml: 13 mistakes\n  rungs[0]")
    for part in (
        "rungs[0]: alternating attention needs a band of 1 to n_ctx = 64 tokens, found 80\n",
        "rungs[0]: passes must be a positive integer, found 0\n",
        "rungs[0].seeds is 0, expected 1 to 64",
        "rungs[1]: band, d_ff: not of family lstm, which has n_layer, d_model, n_ctx, ",
        "rungs[1].dropout is 1.0, expected from 0 to below 1",
        "rungs[2]: family is 'convolution', expected transformer, lstm, conv",
        "rungs[3].kind is 'fat', expected full or separable",
        "rungs[3].dropout is 'a', expected a number",
        "rungs[4]: kernel = 65 sees beyond n_ctx = 64; make it at most that",
        "rungs[5]: d_ff must be a positive integer, found -1",
        "rungs[5]: unknown key 'n_layers'; did you mean n_layer?",
        "rungs[6]: rotary positions need an even head width, found 3",
        "rungs[7]: d_hidden = 24 is not used: a tied head makes the only layer d_model = 16 wide",
    ):
        assert part in message


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Transformer(SHAPE, experts=Experts(4)), "experts are counted but not trained"),
        (Transformer(SHAPE, n_kv_head=1), "n_kv_head is counted but not trained"),
        (Transformer(SHAPE, norm="rms"), "norms with weights are counted but not trained"),
        (Lstm(**SMALL, biases=True), "biases are counted but not trained"),
    ],
)
def test_what_can_be_counted_and_not_trained_is_refused(model, message: str) -> None:
    with pytest.raises(SpecError, match=f"rungs.0.: {message}"):
        Ladder("a", "sotu", "bytes", (Rung("a", model, 1, (8192,)),))


def test_every_family_and_key_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    for key in ("family", "dropout", *MODEL_KEYS, *(f'"{name}"' for name in FAMILIES)):
        assert key in text
    section = text.split("## Families of models")[1]
    ladder = parse_ladder(section.split("```toml\n")[1].split("```")[0])
    assert {family_name(rung.architecture) for rung in ladder.rungs} == set(FAMILIES)
