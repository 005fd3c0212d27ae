"""How the loss of a ladder is measured: held-out tokens, other test sets, gradient noise."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import PurePath
from typing import Any

_FIRST_FIELDS = 4
"""Fields of the first release; later ones are written only where they are not at their default,
so that ladders of then keep their hash."""
LEAST_NOISE_ROWS = 16
"""Contexts from which the noise scale is measured: eight groups, of two at least."""


@dataclass(frozen=True)
class Evaluation:
    """Held-out evaluation: the same tokens for every run.

    Args:
        tokens: held-out tokens of the final loss, and of every test set.
        curve_tokens: held-out tokens at each point of a learning curve (a prefix of the above).
        curve_points_per_doubling: points per doubling of tokens on a learning curve.
        held_out_every: every k-th document of the corpus is held out.
        test_sets: other corpora, by name or path, whose held-out documents every finished run is
            also measured on.
        noise_tokens: training tokens whose gradients give the noise scale at every point of a
            trunk's curve; 0 measures none.
        keep_weights: keep the weights of every finished run, as `weights.safetensors` beside its
            `run.json`, so that rungs of other ladders can start from them.
    """

    tokens: int = 262_144
    curve_tokens: int = 65_536
    curve_points_per_doubling: int = 2
    held_out_every: int = 10
    test_sets: tuple[str, ...] = ()
    noise_tokens: int = 0
    keep_weights: bool = False


DEFAULT_EVALUATION = Evaluation()


def name_test_set(corpus: str) -> str:
    """Return the name of a test set in columns: the corpus, or the stem of its path.

    >>> name_test_set("linux-c"), name_test_set("texts/My novel.txt")
    ('linux_c', 'My_novel')
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", PurePath(corpus).stem).strip("_") or "test"


def evaluation_row(evaluation: Evaluation) -> dict[str, Any]:
    """Return the keys of an evaluation as a ladder file has them."""
    row = asdict(evaluation) | {"test_sets": list(evaluation.test_sets)}
    later = {
        field.name
        for field in fields(Evaluation)[_FIRST_FIELDS:]
        if getattr(evaluation, field.name) == field.default
    }
    return {key: value for key, value in row.items() if key not in later}


def evaluation_mistakes(evaluation: Evaluation) -> Iterator[str]:
    """Yield one sentence per mistake."""
    if evaluation.tokens < 1:
        yield f"evaluation.tokens is {evaluation.tokens}, expected at least 1"
    if not 1 <= evaluation.curve_tokens <= evaluation.tokens:
        yield (
            f"evaluation.curve_tokens is {evaluation.curve_tokens}, expected 1 to "
            f"evaluation.tokens = {evaluation.tokens}"
        )
    if not 1 <= evaluation.curve_points_per_doubling <= 16:
        yield (
            f"evaluation.curve_points_per_doubling is {evaluation.curve_points_per_doubling}, "
            "expected 1 to 16"
        )
    if evaluation.held_out_every < 2:
        yield f"evaluation.held_out_every is {evaluation.held_out_every}, expected at least 2"
    if evaluation.noise_tokens < 0:
        yield f"evaluation.noise_tokens is {evaluation.noise_tokens}, expected 0 or more"
    names = [name_test_set(corpus) for corpus in evaluation.test_sets]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield (
            f"evaluation.test_sets: {names.count(name)} would be named {name!r} in the run table; "
            "rename a file"
        )


def noise_mistakes(n_ctx: int, evaluation: Evaluation) -> Iterator[str]:
    """Yield what a context makes of `noise_tokens`."""
    least = LEAST_NOISE_ROWS * n_ctx
    if 0 < evaluation.noise_tokens < least:
        yield (
            f"evaluation.noise_tokens is {evaluation.noise_tokens}, expected at least "
            f"{LEAST_NOISE_ROWS} contexts of {n_ctx} ({least}), or 0"
        )
