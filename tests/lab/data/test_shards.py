import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import pytest

from isoflop.accounting.architecture import Architecture
from isoflop.base.errors import SpecError
from isoflop.lab.data import encode, large, prepare
from isoflop.lab.data.encode import encode_shards
from isoflop.lab.data.prepare import check_corpus, open_data, prepare_data
from isoflop.lab.data.stream import TokenStream, held_out_windows
from isoflop.lab.data.tokenizer import ByteTokenizer
from isoflop.lab.data.tokens import TokenShards
from isoflop.runs.ladders.ladder import Evaluation, Ladder, Recipe, Rung
from isoflop.runs.ladders.toml import parse_ladder, print_ladder

DOCUMENTS = [f"document {i} ".encode() * (1 + i % 7) for i in range(200)]
TOKENS = np.frombuffer(b"".join(text + b"\x00" for text in DOCUMENTS), np.uint8)


@pytest.fixture
def shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TokenShards:
    monkeypatch.setattr(encode, "_BATCH_BYTES", 300)
    rows = encode_shards(ByteTokenizer(), DOCUMENTS, tmp_path, "train", "<u1", shard_tokens=1000)
    assert len(rows) > 5
    for row in rows:
        digest = hashlib.sha256((tmp_path / row["file"]).read_bytes()).hexdigest()
        assert digest == row["sha256"]
    return TokenShards([tmp_path / row["file"] for row in rows], "<u1")


def test_shards_read_as_the_whole(shards: TokenShards) -> None:
    assert len(shards) == len(TOKENS)
    np.testing.assert_array_equal(shards[np.arange(len(TOKENS))], TOKENS)
    places = np.random.default_rng(0).integers(0, len(TOKENS), (50, 7))
    np.testing.assert_array_equal(shards[places], TOKENS[places])


def test_the_stream_does_not_see_where_files_are_cut(shards: TokenShards) -> None:
    whole, cut = (TokenStream(tokens, 16, (0, 1)) for tokens in (TOKENS, shards))
    count = 3 * whole.tokens_per_epoch // 16
    np.testing.assert_array_equal(whole.rows(0, count), cut.rows(0, count))
    np.testing.assert_array_equal(
        held_out_windows(TOKENS, 16, 1000), held_out_windows(shards, 16, 1000)
    )


def test_encoding_broken_off_goes_on_behind_the_last_whole_shard(
    shards: TokenShards, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in tmp_path.glob("train-*.bin")}
    (tmp_path / "train-00003.bin").write_bytes(b"torn")
    encoded: list[int] = []

    class Counting(ByteTokenizer):
        def encode(self, documents):
            encoded.append(len(documents))
            return super().encode(documents)

    encode_shards(Counting(), DOCUMENTS, tmp_path, "train", "<u1", shard_tokens=1000)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("train-*.bin")} == before
    assert 0 < sum(encoded) < len(DOCUMENTS)


def make_ladder(corpus: Path, tokenizer: str = "bytes", tokens: int = 8192, **more) -> Ladder:
    vocab = 256 if tokenizer == "bytes" else int(tokenizer.removeprefix("bpe-"))
    shape = Architecture(n_layer=1, d_model=4, n_head=1, n_ctx=16, n_vocab=vocab)
    rungs = (Rung("d4", shape, 1, (tokens,)),)
    return Ladder(
        "tiny",
        str(corpus),
        tokenizer,
        rungs,
        Recipe(batch_tokens=128),
        Evaluation(512, 256),
        **more,
    )


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"the square of {i} is {i * i}\n" for i in range(2000)))
    return path


@pytest.mark.parametrize("tokenizer", ["bytes", "bpe-300"])
def test_a_large_corpus_gives_the_tokens_of_a_small_one(
    corpus: Path, tmp_path: Path, tokenizer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if tokenizer != "bytes":
        pytest.importorskip("tokenizers")
    ladder = make_ladder(corpus, tokenizer)
    small = prepare_data(ladder, tmp_path / "small")
    monkeypatch.setattr(prepare, "LARGE_BYTES", 1000)
    monkeypatch.setattr(encode, "_BATCH_BYTES", 3000)
    monkeypatch.setattr(large.encode_shards, "__kwdefaults__", {"shard_tokens": 5000})
    found = prepare_data(ladder, tmp_path / "large")
    assert len(found["shards"]["train"]) > 2
    assert {key: found[key] for key in small} == small
    one, two = (open_data(ladder, tmp_path / name) for name in ("small", "large"))
    assert one.eval_set == two.eval_set
    every = np.arange(small["train_tokens"])
    np.testing.assert_array_equal(one.train[every], two.train[every])
    again = prepare_data(ladder, tmp_path / "again")
    file = found["shards"]["train"][0]["file"]
    assert again == found
    assert (tmp_path / "again" / file).samefile(tmp_path / "large" / file), "linked, not copied"


def test_the_embedded_corpus_keeps_its_identity() -> None:
    """Held-out tokens of `sotu` by hand: every tenth speech, each closed by a zero."""
    from isoflop.lab.data.corpora import read_corpus

    documents = read_corpus("sotu").documents
    text = b"".join(documents[i] + b"\x00" for i in range(9, 249, 10))
    tokens = np.frombuffer(text, np.uint8).astype("<u2")
    assert hashlib.sha256(tokens.tobytes()).hexdigest()[:12] == "590569bc4b05"


def test_a_corpus_read_too_often_is_refused_unless_told(corpus: Path) -> None:
    size = corpus.stat().st_size
    enough = make_ladder(corpus, tokens=3 * size // 128 * 128)
    check_corpus(enough)
    hungry = make_ladder(corpus, tokens=9 * size // 128 * 128)
    with pytest.raises(SpecError) as caught:
        check_corpus(hungry)
    assert "epochs, more than max_epochs = 4; use more text or set max_epochs = 10" in str(
        caught.value
    )
    check_corpus(dataclasses.replace(hungry, max_epochs=10.3))


def test_max_epochs_is_written_only_where_it_was_set(corpus: Path) -> None:
    plain = make_ladder(corpus)
    assert "max_epochs =" not in print_ladder(plain)
    told = dataclasses.replace(plain, max_epochs=7.5)
    assert "max_epochs = 7.5" in print_ladder(told)
    assert parse_ladder(print_ladder(told)) == told
    with pytest.raises(SpecError, match="max_epochs is -1"):
        dataclasses.replace(plain, max_epochs=-1.0)


def test_repeats_are_counted_as_tokens_seen_over_distinct_ones() -> None:
    stream = TokenStream(np.arange(1001), 10, (0,))
    assert stream.repeats(500) == {"n_tokens_unique": 500, "epochs": 0.5}
    assert stream.repeats(2500) == {"n_tokens_unique": 1000, "epochs": 2.5}
    seen = {int(row[0]) for row in stream.rows(0, 250)}
    assert len(seen) * 10 == 1000
    assert stream.place(250) == (2, 50)
