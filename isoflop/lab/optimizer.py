"""AdamW over one whole buffer: a handful of operations however many weights there are."""

from typing import Protocol

import torch
from torch import Tensor

from isoflop.lab.models.pack import Pack
from isoflop.runs.ladders.ladder import Recipe


class Optimizer(Protocol):
    """What moves a pack's weights."""

    def step(self, step: int, lr: float) -> None:
        """Move the master weights by the gradient of step `step` (0-based) at rate `lr`."""
        ...

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything a later step depends on."""
        ...

    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        ...


class AdamW:
    """AdamW (Loshchilov & Hutter 2019) with a learning-rate multiplier per element.

    Args:
        pack: the weights it moves.
        recipe: betas, epsilon, weight decay.
        place: the elements of the buffer that it moves; all of them by default.
    """

    def __init__(self, pack: Pack, recipe: Recipe, place: slice = slice(None)) -> None:
        self._pack, self._recipe, self._place = pack, recipe, place
        self._master, self._multipliers = pack.master[place], pack.lr_multipliers[place]
        self.first = torch.zeros_like(self._master)
        self.second = torch.zeros_like(self._master)
        self._scratch = torch.empty_like(self._master)

    @torch.no_grad()
    def step(self, step: int, lr: float) -> None:
        """Move the master weights by the gradient of step `step` (0-based) at rate `lr`."""
        recipe, scratch = self._recipe, self._scratch
        gradient = self._pack.gradient[self._place].float()
        correction = (1 - recipe.beta2 ** (step + 1)) ** 0.5
        rate = lr * correction / (1 - recipe.beta1 ** (step + 1))
        self.first.lerp_(gradient, 1 - recipe.beta1)
        self.second.mul_(recipe.beta2).addcmul_(gradient, gradient, value=1 - recipe.beta2)
        if recipe.weight_decay:
            torch.mul(self._master, self._multipliers, out=scratch)
            self._master.sub_(scratch, alpha=lr * recipe.weight_decay)
        torch.sqrt(self.second, out=scratch).add_(recipe.eps * correction)
        torch.div(self._multipliers, scratch, out=scratch)
        self._master.addcmul_(self.first, scratch, value=-rate)

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything a later step depends on."""
        return {
            "master": self._master.clone(),
            "first": self.first.clone(),
            "second": self.second.clone(),
        }

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        self._master.copy_(state["master"])
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
