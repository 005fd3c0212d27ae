import numpy as np
import pytest

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.lab.data.corpora import read_corpus, split_documents
from isoflop.lab.data.stream import TokenStream, held_out_windows
from isoflop.lab.data.tokenizer import ByteTokenizer, load_tokenizer, train_tokenizer


def test_the_embedded_corpus_has_its_documents_and_hash() -> None:
    corpus = read_corpus("sotu")
    assert len(corpus.documents) == 249
    assert corpus.documents[0].startswith(b"Fellow")
    train, held_out = split_documents(corpus.documents, 10)
    assert (len(train), len(held_out)) == (225, 24)
    assert not set(train) & set(held_out)


def test_a_file_and_a_folder_of_the_user_are_corpora(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"line {i}\n" for i in range(1000)))
    one = read_corpus(str(tmp_path / "a.txt"))
    assert b"".join(one.documents).startswith(b"line 0")
    assert len(one.documents) > 50
    (tmp_path / "b.txt").write_text("second")
    assert len(read_corpus(str(tmp_path)).documents) == 2


def test_an_unknown_or_unreadable_corpus_is_one_line(tmp_path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean sotu"):
        read_corpus("sotuu")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(InputError, match="UTF-8"):
        read_corpus(str(tmp_path / "a.txt"))
    (tmp_path / "a.txt").write_bytes(b"")
    with pytest.raises(InputError, match="at least 2"):
        read_corpus(str(tmp_path / "a.txt"))


def test_bytes_are_tokens_and_documents_end_with_zero() -> None:
    tokens = ByteTokenizer().encode(["é".encode(), b"a"])
    assert tokens.tolist() == [0xC3, 0xA9, 0, 97, 0]


def test_a_trained_encoding_is_shorter_and_survives_saving() -> None:
    pytest.importorskip("tokenizers")
    text = [b"the cat sat on the mat and the dog sat on the log " * 20] * 3
    tokenizer = train_tokenizer("bpe-300", text)
    tokens = tokenizer.encode(text)
    assert len(tokens) < len(b"".join(text)) / 2
    assert tokens.max() < tokenizer.n_vocab <= 300
    again = load_tokenizer("bpe-300", tokenizer.to_json())
    np.testing.assert_array_equal(again.encode(text), tokens)


def test_an_epoch_shows_every_window_once_in_a_new_order() -> None:
    stream = TokenStream(np.arange(101), 4, (0, 0))
    first, second = stream.rows(0, 25), stream.rows(25, 25)
    assert sorted(first[:, 0]) == sorted(second[:, 0]) == list(range(0, 100, 4))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first[:, 1:] - first[:, :-1], 1)


def test_rows_are_the_same_however_they_are_asked_for() -> None:
    streams = [TokenStream(np.arange(101), 4, (0, 0)) for _ in range(2)]
    whole = streams[0].rows(0, 60)
    parts = [streams[1].rows(i, 7) for i in range(0, 56, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole[:56])
    other = TokenStream(np.arange(101), 4, (0, 1)).rows(0, 60)
    assert not np.array_equal(other, whole)


def test_a_prefix_of_the_held_out_windows_is_spread_over_the_text() -> None:
    windows = held_out_windows(np.arange(64_001), 64, 64_000)
    assert windows.shape == (1000, 65)
    assert len(np.unique(windows[:, 0])) == 1000
    starts = np.sort(windows[:50, 0])
    assert starts[0] < 3000
    assert np.diff(starts).max() < 5000
