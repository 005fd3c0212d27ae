"""Where a trunk is in its data, written so that a resumed trunk can check it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from isoflop.lab.data.stream import TokenStream


def prove_position(streams: Sequence[TokenStream], row: int) -> Mapping[str, Any]:
    """Describe the row each stream reads next, and hash its tokens.

    The order of the data is a pure function of (ladder seed, member, epoch): a stream has no state
    but the row it is asked for. The hash tells a changed text, tokenizer, seed or generator of
    random permutations before a step is taken on other data.

    Args:
        streams: one a model.
        row: rows of each that have been trained on.

    Returns:
        `row`, `places` ([epoch, window] of each stream) and `next_sha256`.

    >>> stream = TokenStream(np.arange(9), 4, (0, 0))
    >>> prove_position([stream], 3)["places"]
    [[1, 1]]
    """
    digest = hashlib.sha256()
    for stream in streams:
        digest.update(np.ascontiguousarray(stream.rows(row, 1), dtype="<i8").tobytes())
    places = [list(stream.place(row)) for stream in streams]
    return {"row": row, "places": places, "next_sha256": digest.hexdigest()}
