"""Where corpora that were got are kept, within the cache."""

from pathlib import Path

from isoflop.base.cache_folder import cache_folder


def corpus_folder(name: str) -> Path:
    """Return the folder of one corpus."""
    return cache_folder() / "corpora" / name


def archive_folder() -> Path:
    """Return the folder of fetched packages, kept until the corpus made of them is whole."""
    return cache_folder() / "archives"
