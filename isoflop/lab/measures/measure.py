"""What is measured of a rung's models beside the training loss, and how it is written down."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from isoflop.lab.data.prepare import StudyData
from isoflop.lab.data.stream import TokenStream, held_out_windows
from isoflop.lab.loop import AnyTrainer
from isoflop.lab.measures.noise_scale import noise_record
from isoflop.lab.measures.test_sets import EvalSet, open_test_sets
from isoflop.lab.measures.token_bytes import bits_per_byte, read_token_bytes
from isoflop.runs.ladders.ladder import Ladder, Rung

_NOISE_STREAM = 3
"""Keeps its contexts apart from data order (0), initialisation (1) and dropout (2)."""


class Measures:
    """The test sets and the gradient noise of one rung.

    Args:
        ladder: its evaluation.
        folder: the study's `data` folder.
        data: its tokens.
        rung: whose models are measured.
        seeds: (root, index) of each of its models.
        device: where they are.
    """

    def __init__(
        self,
        ladder: Ladder,
        folder: Path,
        data: StudyData,
        rung: Rung,
        seeds: list[tuple[int, int]],
        device: torch.device,
    ) -> None:
        self._context, self._device = rung.architecture.n_ctx, device
        self._token_bytes = read_token_bytes(folder / "tokenizer.json")
        own = EvalSet("", data.held_out, data.eval_set)
        self._sets = [
            (each, held_out_windows(each.tokens, self._context, ladder.evaluation.tokens))
            for each in (own, *open_test_sets(ladder, folder))
        ]
        self._noise_rows = ladder.evaluation.noise_tokens // self._context
        self._streams = [
            TokenStream(data.train, self._context, (*seed, _NOISE_STREAM)) for seed in seeds
        ]

    def final(self, trainer: AnyTrainer) -> tuple[list[dict[str, Any]], list[list[float | None]]]:
        """Measure finished models.

        Returns:
            One row of columns a model (`loss`, `bits_per_byte`, `eval_set`, `loss_at_T` for
            T = 1, 2, 4, … tokens of context, and `loss_NAME`, … for every test set), and its
            losses at every position of the held-out contexts.
        """
        rows: list[dict[str, Any]] = []
        positions: list[list[float | None]] = []
        for test_set, windows in self._sets:
            by_position = trainer.position_losses(self._place(windows))
            for member, losses in enumerate(by_position):
                if not test_set.name:
                    rows.append(positions_row(losses))
                    positions.append([_finite(x) for x in losses])
                rows[member] |= self._columns(test_set, float(losses.mean()), windows)
        return rows, positions

    def noise(self, trainer: AnyTrainer, step: int) -> dict[str, Any]:
        """Measure the noise scale at a step of the trunk; nothing if the ladder asks for none."""
        count = self._noise_rows
        if not count:
            return {}
        rows = [stream.rows(step * count, count) for stream in self._streams]
        return noise_record(trainer.noise(self._place(np.stack(rows, axis=1))))

    def _columns(
        self, test_set: EvalSet, loss: float, windows: NDArray[np.integer]
    ) -> dict[str, Any]:
        suffix = f"_{test_set.name}" if test_set.name else ""
        bits = bits_per_byte(loss, windows, self._token_bytes)
        return {
            f"loss{suffix}": _finite(loss) if suffix else loss,
            f"bits_per_byte{suffix}": _finite(bits),
            f"eval_set{suffix}": test_set.eval_set,
        }

    def _place(self, tokens: NDArray[np.integer]) -> torch.Tensor:
        return torch.from_numpy(np.asarray(tokens).astype(np.int64)).to(self._device)


def positions_row(losses: NDArray[np.float64]) -> dict[str, float | None]:
    """Return `loss_at_T` at T = 1, 2, 4, … tokens of context and at the last.

    >>> list(positions_row(np.array([4.0, 3.0, 2.5, 2.4, 2.3])))
    ['loss_at_1', 'loss_at_2', 'loss_at_4', 'loss_at_5']
    """
    last = len(losses)
    at = sorted({2**k for k in range(last.bit_length()) if 2**k <= last} | {last})
    return {f"loss_at_{T}": _finite(losses[T - 1]) for T in at}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
