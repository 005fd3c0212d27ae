"""Whether a ladder can be trained here: every reason against it in one error, before any folder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from isoflop.base.errors import InputError, MissingExtraError, SpecError
from isoflop.lab.data.prepare import check_corpus
from isoflop.lab.measures.test_sets import check_test_sets
from isoflop.lab.price.memory import check_memory
from isoflop.lab.weights.initial import check_starts
from isoflop.runs.ladders.ladder import Ladder

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class Text:
    """How much text a ladder has, in tokens if every byte is one: no encoding has more.

    Args:
        train: that it is trained on.
        held_out: held out of the corpus, then of every test set.
    """

    train: int
    held_out: tuple[int, ...]


def check_ready(ladder: Ladder, *, device: str, workers: int | None) -> Text:
    """Refuse a ladder that cannot be trained, whatever it is for.

    Args:
        ladder: what would be trained.
        device: `cpu` or `cuda`.
        workers: processes that must fit into this machine side by side; None where others train.

    Returns:
        The text there is.

    Raises:
        InputError: too little text, no such corpus or test set, no run to start from, or too little
            memory; of several reasons a SpecError with a line each.
        MissingExtraError: a trained tokenizer without the `tokenizers` library.
    """
    against: list[InputError] = []
    tokens = _try(lambda: check_corpus(ladder), against)
    test_sets = _try(lambda: check_test_sets(ladder), against)
    _try(lambda: check_starts(ladder), against)
    if workers is not None:
        _try(lambda: check_memory(ladder, device=device, workers=workers), against)
    if len(against) == 1:
        raise against[0]
    if tokens is None or test_sets is None or against:
        raise SpecError(f"ladder {ladder.name}", [each for one in against for each in _lines(one)])
    return Text(tokens["train"], (tokens["held_out"], *test_sets))


def _try(check: Callable[[], _Found], against: list[InputError]) -> _Found | None:
    try:
        return check()
    except MissingExtraError:
        raise
    except InputError as error:
        against.append(error)
        return None


def _lines(error: InputError) -> tuple[str, ...]:
    listed = error.mistakes if isinstance(error, SpecError) else ()
    return listed or (str(error),)
