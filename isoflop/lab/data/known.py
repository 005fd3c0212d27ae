"""Whether there is a corpus of a name, told before a byte of it is read."""

from pathlib import Path

from isoflop.base.errors import InputError, did_you_mean
from isoflop.lab.data.card import read_card
from isoflop.lab.data.catalog import NAME
from isoflop.lab.data.corpora import corpus_names


def corpus_mistake(name: str) -> str:
    """Return what is wrong with the name or path of a corpus, empty if nothing.

    Args:
        name: as a ladder file has it.

    >>> corpus_mistake("sotu"), corpus_mistake("sotuu")
    ('', 'which is no registered corpus, file or folder; did you mean sotu?')
    """
    if name in corpus_names() or _is_got(name) or _exists(name):
        return ""
    tail = did_you_mean(name, corpus_names())
    return f"which is no registered corpus, file or folder{tail}"


def _is_got(name: str) -> bool:
    try:
        return bool(NAME.fullmatch(name)) and read_card(name) is not None
    except InputError:  # a damaged card: whoever reads the corpus says so
        return True


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or with a NUL
        return False
