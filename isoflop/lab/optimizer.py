"""AdamW over one whole buffer: a handful of operations however many weights there are."""

import torch
from torch import Tensor

from isoflop.lab.models.pack import Pack
from isoflop.runs.ladder import Recipe


class AdamW:
    """AdamW (Loshchilov & Hutter 2019) with a learning-rate multiplier per element.

    Args:
        pack: the weights it moves.
        recipe: betas, epsilon, weight decay.
    """

    def __init__(self, pack: Pack, recipe: Recipe) -> None:
        self._pack, self._recipe = pack, recipe
        self.first = torch.zeros_like(pack.master)
        self.second = torch.zeros_like(pack.master)
        self._scratch = torch.empty_like(pack.master)

    @torch.no_grad()
    def step(self, step: int, lr: float) -> None:
        """Move the master weights by the gradient of step `step` (0-based) at rate `lr`."""
        recipe, scratch = self._recipe, self._scratch
        gradient = self._pack.gradient.float()
        correction = (1 - recipe.beta2 ** (step + 1)) ** 0.5
        rate = lr * correction / (1 - recipe.beta1 ** (step + 1))
        self.first.lerp_(gradient, 1 - recipe.beta1)
        self.second.mul_(recipe.beta2).addcmul_(gradient, gradient, value=1 - recipe.beta2)
        if recipe.weight_decay:
            torch.mul(self._pack.master, self._pack.lr_multipliers, out=scratch)
            self._pack.master.sub_(scratch, alpha=lr * recipe.weight_decay)
        torch.sqrt(self.second, out=scratch).add_(recipe.eps * correction)
        torch.div(self._pack.lr_multipliers, scratch, out=scratch)
        self._pack.master.addcmul_(self.first, scratch, value=-rate)

    def state(self) -> dict[str, Tensor]:
        """Return copies of everything a later step depends on."""
        return {
            "master": self._pack.master.clone(),
            "first": self.first.clone(),
            "second": self.second.clone(),
        }

    @torch.no_grad()
    def restore(self, state: dict[str, Tensor]) -> None:
        """Put back what `state` returned."""
        self._pack.master.copy_(state["master"])
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
