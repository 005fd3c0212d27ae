"""How much of the held-out text the training text holds: whole documents, and runs of 13 words.

Words are lower-case with ASCII punctuation taken for spaces and 13 of them are compared, as Brown
et al. 2020 (appendix C) did for GPT-3. Unlike theirs, no frequent n-gram is forgiven.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.base.errors import InputError
from isoflop.runs.counted import counted
from isoflop.runs.finding import Finding

N_WORDS = 13
"""Brown et al. 2020, appendix C: the longest n-gram compared, and that of their training filter."""
WARN_SHARE, ERROR_SHARE = 0.05, 0.2
"""Shares of held-out n-grams also trained on from which a finding is a warning, an error. A choice
of ours: the embedded speeches, which quote each other, measure 1.5 %."""

_UPPER, _LOWER = bytes(range(65, 91)), bytes(range(97, 123))
_PUNCTUATION = bytes(
    c for c in range(128) if not chr(c).isalnum() and not chr(c).isspace() and c > 32
)
_PLAIN = bytes.maketrans(_UPPER + _PUNCTUATION, _LOWER + b" " * len(_PUNCTUATION))
_TABLE_BITS = 26
_BATCH = 1 << 20

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Overlap:
    """What held-out and training documents share.

    Args:
        n_words: length of the n-grams, words.
        held_out_documents: held-out documents.
        same_documents: those whose words are all the words of a training document.
        ngrams: n-grams of the held-out documents, repeats counted.
        shared_ngrams: those that a training document has too.
        documents_half_shared: held-out documents with half of their n-grams or more shared.
    """

    n_words: int
    held_out_documents: int
    same_documents: int
    ngrams: int
    shared_ngrams: int
    documents_half_shared: int

    @property
    def share(self) -> float:
        """Shared n-grams over n-grams, 0 where there are none."""
        return self.shared_ngrams / self.ngrams if self.ngrams else 0.0

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {**asdict(self), "share": self.share}


def measure_overlap(
    train: Iterable[bytes], held_out: Sequence[bytes], *, n_words: int = N_WORDS
) -> Overlap:
    """Count the held-out documents and n-grams that are in the training documents too.

    Documents shorter than `n_words` words are compared as wholes only.

    Args:
        train: training documents; read once.
        held_out: held-out documents.
        n_words: length of the n-grams.

    Raises:
        InputError: `n_words` below 1.

    >>> measure_overlap([b"a b c d"], [b"A, b, c! x"], n_words=3).to_dict()["shared_ngrams"]
    1
    """
    if n_words < 1:
        raise InputError(f"n_words is {n_words}, expected at least 1")
    words = _Words(n_words)
    wanted = [words.hashes(text) for text in held_out]
    whole = np.array([words.whole(text) for text in held_out], dtype=np.uint64)
    every = np.unique(np.concatenate([*wanted, np.empty(0, np.uint64)]))
    hit, seen_whole = _search(train, every, words)
    shared = [hit[np.searchsorted(every, hashes)] for hashes in wanted]
    return Overlap(
        n_words=n_words,
        held_out_documents=len(held_out),
        same_documents=int(np.isin(whole, np.array(sorted(seen_whole), dtype=np.uint64)).sum()),
        ngrams=sum(len(each) for each in shared),
        shared_ngrams=int(sum(each.sum() for each in shared)),
        documents_half_shared=sum(int(each.mean() >= 0.5) for each in shared if len(each)),
    )


def check_overlap(overlap: Overlap) -> list[Finding]:
    """Return the finding about an overlap, none where there is next to nothing.

    >>> check_overlap(Overlap(13, 24, 0, 100_000, 500, 0))
    []
    """
    same = overlap.same_documents / max(1, overlap.held_out_documents)
    worst = max(same, overlap.share)
    if worst < WARN_SHARE and not overlap.same_documents:
        return []
    evidence = (
        f"{counted(overlap.same_documents, 'document')} of {overlap.held_out_documents} held out "
        f"and {100 * overlap.share:.1f} % of the held-out runs of {overlap.n_words} words are in "
        f"the training text; {overlap.documents_half_shared} documents share half or more"
    )
    return [
        Finding(
            code="held-out-overlap",
            severity="error" if worst >= ERROR_SHARE else "warning",
            evidence=evidence,
            consequence="the held-out loss rewards remembering, the more so the larger the model "
            "and the more often it reads the text",
            remedy='drop repeated documents and lines (repeated_lines = "drop" in a corpus file)',
        )
    ]


def _search(train: Iterable[bytes], every: Hashes, words: "_Words") -> tuple[NDArray, set[int]]:
    """Return which of the sorted hashes occur in training, and the hashes of its documents."""
    hit = np.zeros(len(every), dtype=bool)
    table = np.zeros(1 << _TABLE_BITS, dtype=bool)  # a cheap first look that rules out most
    mask = np.uint64(len(table) - 1)
    table[every & mask] = True
    whole: set[int] = set()
    batch: list[Hashes] = []
    size = 0
    for text in train:
        whole.add(words.whole(text))
        batch.append(words.hashes(text))
        size += len(batch[-1])
        if size >= _BATCH:
            _mark(np.concatenate(batch), every, table, mask, hit)
            batch, size = [], 0
    if batch:
        _mark(np.concatenate(batch), every, table, mask, hit)
    return hit, whole


def _mark(found: Hashes, every: Hashes, table: NDArray, mask: np.uint64, hit: NDArray) -> None:
    likely = found[table[found & mask]]
    place = np.searchsorted(every, likely)
    inside = place < len(every)
    place, likely = place[inside], likely[inside]
    hit[place[every[place] == likely]] = True


class _Words:
    """Words to 64-bit numbers, n-grams of them to 64-bit hashes.

    A hash is Σ word_k · multiplier_k modulo 2^64: two n-grams of 1e8 collide with a chance of
    about 3e-4.
    """

    def __init__(self, n_words: int) -> None:
        self._numbers: dict[bytes, int] = {}
        generator = np.random.default_rng(0)
        odd = generator.integers(0, 1 << 63, n_words, dtype=np.uint64) * np.uint64(2)
        self._multipliers = odd + np.uint64(1)
        self._last: tuple[bytes, NDArray[np.uint64]] = (b"", np.empty(0, np.uint64))

    def hashes(self, text: bytes) -> Hashes:
        """Return the hash of every n-gram of a document, in order."""
        numbers, n = self._read(text), len(self._multipliers)
        count = max(0, len(numbers) - n + 1)
        total = np.zeros(count, dtype=np.uint64)
        for k, multiplier in enumerate(self._multipliers):
            total += numbers[k : k + count] * multiplier
        return total

    def whole(self, text: bytes) -> int:
        """Return the hash of all of a document's words."""
        packed = self._read(text).tobytes()
        return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little")

    def _read(self, text: bytes) -> NDArray[np.uint64]:
        if self._last[0] is not text:
            found = text.translate(_PLAIN).split()
            known = self._numbers
            for word in set(found):
                if word not in known:
                    digest = hashlib.blake2b(word, digest_size=8).digest()
                    known[word] = int.from_bytes(digest, "little")
            numbers = np.fromiter(map(known.__getitem__, found), np.uint64, len(found))
            self._last = (text, numbers)
        return self._last[1]
