"""The counts are held against sets of word tuples, and against planted repeats."""

import string

import numpy as np
import pytest

from isoflop.base.errors import InputError
from isoflop.lab.data.overlap import Overlap, check_overlap, measure_overlap

WORDS = [f"word{i}" for i in range(50)]


def make_text(seed: int, n_words: int, vocabulary: int = 50) -> bytes:
    chosen = np.random.default_rng(seed).integers(0, vocabulary, n_words)
    return " ".join(WORDS[i] for i in chosen).encode()


def words_by_the_book(text: bytes) -> tuple[str, ...]:
    plain = text.decode().lower()
    return tuple("".join(" " if c in string.punctuation else c for c in plain).split())


def ngrams_by_the_book(text: bytes, n: int) -> list[tuple[str, ...]]:
    words = words_by_the_book(text)
    return [words[i : i + n] for i in range(len(words) - n + 1)]


@pytest.mark.parametrize("n", [1, 3, 13])
def test_counts_are_those_of_sets_of_words(n: int) -> None:
    train = [make_text(seed, 400, 6) for seed in range(20)]
    held_out = [make_text(100 + seed, 300, 6) for seed in range(5)] + [train[3], b"too short"]
    held_out.append(b"Fresh start, " + train[5][200:900])
    seen = {gram for text in train for gram in ngrams_by_the_book(text, n)}
    every = [ngrams_by_the_book(text, n) for text in held_out]
    shared = [sum(gram in seen for gram in grams) for grams in every]
    found = measure_overlap(train, held_out, n_words=n)
    assert found.ngrams == sum(map(len, every))
    assert found.shared_ngrams == sum(shared)
    assert found.same_documents == 1
    half = [s >= len(g) / 2 for s, g in zip(shared, every, strict=True) if g]
    assert found.documents_half_shared == sum(half)


def test_case_punctuation_and_spacing_do_not_hide_a_document() -> None:
    train = [b"The quick, brown fox -- jumps over\nthe lazy dog."]
    found = measure_overlap(train, [b"the QUICK brown fox jumps (over) the lazy dog"], n_words=5)
    assert (found.same_documents, found.share) == (1, 1.0)


def test_planted_repeats_make_a_finding_and_clean_text_makes_none() -> None:
    train = [make_text(seed, 500) for seed in range(50)]
    clean = [make_text(1000 + seed, 500) for seed in range(20)]
    assert check_overlap(measure_overlap(train, clean)) == []
    one = check_overlap(measure_overlap(train, [*clean, train[7]]))
    assert [(f.code, f.severity) for f in one] == [("held-out-overlap", "warning")]
    assert "1 document of 21 held out" in one[0].evidence
    many = check_overlap(measure_overlap(train, [*clean[:5], *train[:5]]))
    assert many[0].severity == "error"
    assert "50.0 % of the held-out runs of 13 words" in many[0].evidence


def test_nothing_held_out_and_short_documents_are_no_error() -> None:
    assert measure_overlap([b"a"], []).share == 0.0
    assert check_overlap(Overlap(13, 0, 0, 0, 0, 0)) == []
    with pytest.raises(InputError, match="n_words is 0"):
        measure_overlap([b"a"], [b"a"], n_words=0)
