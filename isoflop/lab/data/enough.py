"""Whether a corpus has enough text for a plan, and how often it would be read."""

from collections.abc import Mapping

from isoflop.base.errors import SpecError
from isoflop.runs.ladders.ladder import Ladder


def check_fit(ladder: Ladder, n_vocab: int, n_tokens: Mapping[str, int]) -> None:
    """Hold the vocabulary and the tokens against the ladder.

    Raises:
        SpecError: the vocabulary is larger than the models', or see `check_length`.
    """
    shape = ladder.rungs[0].architecture
    if n_vocab > shape.n_vocab:
        raise SpecError(
            f"rungs: n_vocab is {shape.n_vocab}, but {ladder.tokenizer} has {n_vocab} "
            f"tokens; set n_vocab = {n_vocab}"
        )
    check_length(ladder, n_tokens)


def check_length(ladder: Ladder, n_tokens: Mapping[str, int]) -> None:
    """Refuse a part shorter than one context, or a text to be read more often than was said.

    Bytes bound the tokens of any encoding from above, so that counts of bytes may stand for
    tokens before there are any.

    Args:
        ladder: what would be trained.
        n_tokens: `train` and `held_out` tokens.

    Raises:
        SpecError: too little text; says how many epochs the longest run would take.
    """
    n_ctx = ladder.rungs[0].architecture.n_ctx
    for name, count in n_tokens.items():
        if count <= n_ctx:
            raise SpecError(
                f"corpus {ladder.corpus}: {count} {name} tokens, fewer than one "
                f"context of {n_ctx}; use more text or a smaller n_ctx"
            )
    most, wanted = ladder.max_epochs, max(run.n_tokens for run in ladder.runs())
    epochs = count_epochs(wanted, n_tokens["train"], n_ctx)
    if epochs > most:
        raise SpecError(
            f"corpus {ladder.corpus}: {n_tokens['train']:,} training tokens for runs of up to "
            f"{wanted:,}: {epochs:.3g} epochs, more than max_epochs = {most:g}; use more text or "
            f"set max_epochs = {_rounded_up(epochs):g} to read it that often"
        )


def count_epochs(n_tokens: int, n_train: int, n_ctx: int) -> float:
    """Return how often a run reads the training text: tokens seen over tokens of one pass.

    >>> count_epochs(200, 101, 10)
    2.0
    """
    return n_tokens / ((n_train - 1) // n_ctx * n_ctx)


def _rounded_up(epochs: float) -> float:
    return -(-epochs * 10 // 1) / 10
