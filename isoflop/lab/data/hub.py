"""Documents streamed from a dataset hub by the `datasets` library, when it is installed."""

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from isoflop.base.errors import InputError, MissingExtraError
from isoflop.lab.data.catalog import Part


def require_datasets() -> None:
    """Refuse without the library.

    Raises:
        MissingExtraError: `datasets` is absent.
    """
    if find_spec("datasets") is None:
        raise MissingExtraError("a corpus of the hf back end", "hf")


def stream_rows(part: Part, first: int) -> Iterator[str]:
    """Yield the text of row `first` and those after it, in the dataset's order.

    Rows are numbered from 0 in the order of the pinned revision, so that a stream broken off
    goes on at the row where it stopped.

    Args:
        part: dataset (`package`), revision (`version`), configuration, split and field (`key`).
        first: rows to skip.

    Raises:
        MissingExtraError: `datasets` is absent.
        InputError: the dataset cannot be reached or has no such configuration, split or field.
    """
    require_datasets()
    try:
        for row in _open(part).skip(first):
            yield _text_of(row, part)
    except InputError:
        raise
    except Exception as error:  # the library's own, and those of everything below it
        line = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{part}: {line[:300]}; check the name, the network and, for a dataset that "
            "asks for it, your access token; run again to go on where it stopped"
        ) from None


def _open(part: Part) -> Any:
    return import_module("datasets").load_dataset(
        part.package,
        part.config or None,
        split=part.split,
        revision=part.version,
        streaming=True,
    )


def _text_of(row: Any, part: Part) -> str:
    text = row.get(part.key)
    if not isinstance(text, str):
        found = ", ".join(sorted(row))[:200]
        raise InputError(f"{part}: rows have no text under {part.key!r}, but {found}; set key")
    return text
