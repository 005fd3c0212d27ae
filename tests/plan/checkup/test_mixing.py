"""Mixed losses, mixed recipes, repeated data."""

import numpy as np
import pytest
from faulty import EPOCH, TRUE_A, codes, find, ladder, noisy, rows

from isoflop.laws.repeated import RepeatedLaw
from isoflop.plan.checkup.case import open_case
from isoflop.plan.checkup.mixing import fresh_tokens
from isoflop.runs.table import RunTable


@pytest.mark.parametrize(
    ("column", "values", "code"),
    [
        ("tokenizer", ("gpt2", "llama"), "mixed-tokenizers"),
        ("loss_unit", ("nats/token", "bits/token"), "mixed-loss-units"),
        ("eval_set", ("c4", "pile"), "mixed-eval-sets"),
    ],
)
def test_losses_that_cannot_be_compared_are_errors(column, values, code):
    N, D, L = ladder()
    second = np.arange(len(N)) % 3 == 0
    factor = np.where(second, 1 / np.log(2), 1.0)
    labels = [values[1] if yes else values[0] for yes in second]
    found = find(rows(N, D, noisy(L * factor), **{column: labels}), code)
    assert found.severity == "error"
    assert found.rows == tuple(range(1, len(N) + 1, 3))
    assert "+44 %" in found.evidence  # bits are 1/log 2 nats


def test_a_recipe_used_at_the_large_end_alone_moves_the_exponent():
    N, D, L = ladder()
    large = np.median(N) < N
    found = find(
        rows(N, D, np.where(large, 0.97, 1.0) * L, family=["new" if b else "old" for b in large]),
        "mixed-families",
    )
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=1e-4)
    assert abs(found.shift.exponent - TRUE_A) > 0.01


def test_repeats_are_worth_what_muennighoff_says():
    worth = fresh_tokens(np.array([4e9, 1.6e10, 4e10]), np.full(3, 1e9)) / 1e9
    assert worth.round(2).tolist() == [3.73, 10.58, 15.17]


@pytest.mark.parametrize(("epochs", "optimism"), [(4, 0.017), (16, 0.063), (40, 0.118)])
def test_a_one_epoch_law_is_optimistic_about_repeats(epochs, optimism):
    N, D, _ = ladder()
    N, D = np.append(N, 3e8), np.append(D, epochs * 1e9)
    unique = np.append(D[:-1], 1e9)
    worth = np.append(D[:-1], fresh_tokens(D[-1:], unique[-1:]))
    E, A, B, alpha, beta = EPOCH
    L = E + A * N**-alpha + B * worth**-beta
    found = find(rows(N, D, L, n_tokens_unique=unique), "repeated-data")
    assert found.numbers["optimism"] == pytest.approx(optimism, abs=6e-4)
    assert found.rows == (len(N),)


def test_the_exponent_without_repeats_is_the_true_one():
    N, D, _ = ladder()
    unique = np.minimum(D, 5e8)
    theta = np.array([*EPOCH, 15.387756, 1e6])
    L = RepeatedLaw().predict(theta, {"n_params": N, "n_tokens": D, "n_tokens_unique": unique})
    found = find(rows(N, D, L, n_tokens_unique=unique), "repeated-data")
    assert found.shift is not None
    assert found.shift.corrected == pytest.approx(TRUE_A, abs=5e-3)
    assert abs(found.shift.exponent - TRUE_A) > 0.02


def test_fresh_data_raise_nothing():
    N, D, L = ladder()
    assert not codes(rows(N, D, L, n_tokens_unique=2 * D)) & {"repeated-data", "mixed-families"}


def test_another_vocabulary_is_another_tokenizer_but_padding_is_not():
    N, D, L = ladder()
    second = np.arange(len(N)) % 3 == 0
    L = noisy(np.where(second, 1.05, 1.0) * L)
    table = rows(N, D, L, n_vocab=np.where(second, 50257.0, 32000.0))
    found = find(table, "mixed-tokenizers")
    assert "32000 in 42, 50257 in 21 runs" in found.evidence
    assert codes(table) == {"mixed-tokenizers", "lr-not-bracketed", "noise-unknown"}
    padded = np.where(second, 50257.0, 50304.0)
    assert "mixed-tokenizers" not in codes(rows(N, D, L, n_vocab=padded))
    per_byte = rows(N, D, L / 4, n_vocab=np.where(second, 50257.0, 32000.0), loss_unit="nats/byte")
    assert "mixed-tokenizers" not in codes(per_byte)
    assert open_case(RunTable.from_records(per_byte)).steady.sum() > 42  # both kinds
    rest = [{name: row[name] for name in row if name != "loss"} for row in table]
    unigram = [{**row, "loss_unigram": -2.0} for row in rest]  # of a law of vocabularies
    assert "mixed-tokenizers" not in codes(unigram)
    named = rows(N, D, L, n_vocab=np.where(second, 5e4, 3e4), tokenizer=["a", "b", "b"] * 21)
    assert "a in 21" in find(named, "mixed-tokenizers").evidence
