"""Muon for the matrices of the layers, AdamW for tables and head, K models at once.

torch.optim.Muon takes one matrix at a time; here the K models' matrices are one batch. Both give
the same steps (test).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from isoflop.lab.models.pack import Pack
from isoflop.lab.optimizer import AdamW
from isoflop.lab.recipes.newton_schulz import orthogonalise
from isoflop.runs.recipes.recipe import Recipe

_FUSED = {"qkv": 3}
"""Projections stored side by side and orthogonalised apart, as Jordan et al. 2024 advise."""


@dataclass(frozen=True)
class _Matrix:
    """One weight of the layers.

    Args:
        place: its K·size elements of the buffer.
        shape: (K, inputs, outputs).
        fused: matrices side by side along the outputs.
    """

    place: slice
    shape: tuple[int, int, int]
    fused: int

    def apart(self, buffer: Tensor) -> Tensor:
        """Return (K, fused, inputs, outputs/fused) of a (K·P,) buffer, as a view."""
        packed, inputs, outputs = self.shape
        view = buffer[self.place].view(packed, inputs, self.fused, outputs // self.fused)
        return view.transpose(1, 2)


class Muon:
    """Muon (Jordan et al. 2024): orthogonalised Nesterov momentum, scaled by √max(1, out/in).

    The step of a matrix does not depend on its width's learning-rate multiplier: an orthogonal
    step changes outputs alike at every width.

    Args:
        pack: the weights it moves.
        recipe: settled; rates and momentum of Muon, all of AdamW for the rest.
        factors: (K,) of each model's rates, None for 1.
    """

    def __init__(self, pack: Pack, recipe: Recipe, factors: Tensor | None = None) -> None:
        self._pack, self._recipe = pack, recipe
        self._matrices = tuple(_matrices(pack))
        self._factors = None if factors is None else factors.view(-1, 1, 1, 1)
        self._rest = tuple(AdamW(pack, recipe, place) for place in _others(pack, self._matrices))
        self.momentum = torch.zeros_like(pack.master)

    @torch.no_grad()
    def step(self, step: int, lr: float) -> None:
        """Move the master weights by the gradient of step `step` (0-based) at rate `lr`."""
        for optimizer in self._rest:
            optimizer.step(step, lr)
        rate = lr * self._recipe.muon_lr / self._recipe.lr
        for matrix in self._matrices:
            self._move(matrix, rate)

    def _move(self, matrix: _Matrix, rate: float) -> None:
        recipe, place = self._recipe, matrix.place
        gradient = self._pack.gradient[place].float()
        momentum = self.momentum[place].lerp_(gradient, 1 - recipe.muon_momentum)
        update = torch.lerp(gradient, momentum, recipe.muon_momentum).to(self._pack.low.dtype)
        whole = _Matrix(slice(0, update.numel()), matrix.shape, matrix.fused).apart(update)
        moved = orthogonalise(whole.flatten(0, 1)).view(whole.shape).float()
        inputs, outputs = whole.shape[-2:]
        scale = rate * max(1.0, outputs / inputs) ** 0.5
        moved = moved if self._factors is None else moved * self._factors
        master = matrix.apart(self._pack.master)
        if recipe.weight_decay:
            decay = rate * recipe.weight_decay
            master.mul_(1 - decay if self._factors is None else 1 - decay * self._factors)
        master.sub_(moved, alpha=scale)

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything a later step depends on."""
        state = {"master": self._pack.master.clone(), "momentum": self.momentum.clone()}
        for index, optimizer in enumerate(self._rest):
            state[f"first{index}"] = optimizer.first.clone()
            state[f"second{index}"] = optimizer.second.clone()
        return state

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        self._pack.master.copy_(state["master"])
        self.momentum.copy_(state["momentum"])
        for index, optimizer in enumerate(self._rest):
            optimizer.first.copy_(state[f"first{index}"])
            optimizer.second.copy_(state[f"second{index}"])


def _matrices(pack: Pack) -> Iterator[_Matrix]:
    """Yield the weights of the layers: their names carry the layer's number and a dot."""
    for name, leaf in pack.weights.items():
        layer, _, role = name.rpartition(".")
        if layer and leaf.dim() == 3 and min(leaf.shape[1:]) > 1:
            first = leaf.storage_offset()
            packed, inputs, outputs = leaf.shape
            place = slice(first, first + leaf.numel())
            yield _Matrix(place, (packed, inputs, outputs), _FUSED.get(role, 1))


def _others(pack: Pack, matrices: tuple[_Matrix, ...]) -> Iterator[slice]:
    """Yield the gaps between the matrices."""
    first = 0
    for place in sorted((m.place for m in matrices), key=lambda place: place.start):
        if place.start > first:
            yield slice(first, place.start)
        first = place.stop
    if first < pack.master.numel():
        yield slice(first, pack.master.numel())
