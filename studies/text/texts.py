"""Texts made from others: distinct bytes of the first corpus, and Python's library."""

import sysconfig
from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.lab.data.corpora import read_corpus

HELD_OUT_EVERY = 10
"""Every tenth document is held out in every ladder of the study."""
STDLIB_BYTES = 1_500_000


def second_corpus(name: str, out: Path) -> str:
    """Return what a ladder calls the second corpus."""
    return str(out / "texts" / "stdlib.txt") if name == "stdlib" else name


def unique_path(corpus: str, unique: int, out: Path) -> Path:
    """Return where the text of so many distinct training bytes is."""
    return out / "texts" / f"{corpus}-{unique}.txt"


def write_stdlib(out: Path) -> None:
    """Write the sources of Python's library, in order of name."""
    path = out / "texts" / "stdlib.txt"
    if path.exists():
        return
    folder = Path(sysconfig.get_paths()["stdlib"])
    text = "\n".join(p.read_text("utf-8", "ignore") for p in sorted(folder.glob("*.py"))[:120])
    write_atomic(path, text.replace("\0", "")[:STDLIB_BYTES])


def write_unique(corpus: str, unique: int, out: Path) -> None:
    """Write training documents of a corpus, at equal distances, until they hold `unique` bytes.

    None of them is held out in the corpus, so that its held-out text stays unseen. A tenth more
    is written: the ladder that reads the text holds a tenth of it out itself.
    """
    path = unique_path(corpus, unique, out)
    if path.exists():
        return
    documents = read_corpus(corpus).documents
    kept = [i for i in range(len(documents)) if i % HELD_OUT_EVERY != HELD_OUT_EVERY - 1]
    wanted = round(unique * HELD_OUT_EVERY / (HELD_OUT_EVERY - 1))
    chosen: list[bytes] = []
    # Steps by the golden ratio spread any number of documents over the whole corpus.
    order = sorted(range(len(kept)), key=lambda k: (k * 0.6180339887498949) % 1.0)
    for k in order:
        chosen.append(documents[kept[k]][:20_000])
        if sum(map(len, chosen)) >= wanted:
            break
    write_atomic(path, b"\n\n".join(chosen)[:wanted].decode("utf-8", "ignore"))
