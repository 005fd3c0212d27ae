"""The optimizers a recipe may name, and the rates of a pack whose models differ in them."""

import torch
from torch import Tensor

from isoflop.lab.models.pack import Pack
from isoflop.lab.optimizer import AdamW, Optimizer
from isoflop.lab.recipes.muon import Muon
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.recipes.recipe import Recipe


def make_optimizer(pack: Pack, recipe: Recipe, factors: Tensor | None = None) -> Optimizer:
    """Return the recipe's optimizer.

    Args:
        pack: the weights it moves; its multipliers are scaled by `factors`.
        recipe: settled.
        factors: (K,) rate of each model over the recipe's, None for 1.
    """
    if factors is not None:
        for leaf in pack.weights.values():
            place = slice(leaf.storage_offset(), leaf.storage_offset() + leaf.numel())
            pack.lr_multipliers[place].view(len(factors), -1).mul_(factors.view(-1, 1))
    if recipe.optimizer == "muon":
        return Muon(pack, recipe, factors)
    return AdamW(pack, recipe)


def rate_factors(rung: Rung, device: torch.device) -> Tensor | None:
    """Return (K,) rates of a bracket's models over its first; None without a bracket.

    Args:
        rung: its `lrs` and seeds, in the order of `runs_of`.
        device: where the pack is.
    """
    if len(rung.lrs) < 2:
        return None
    factors = [lr / rung.lrs[0] for lr in rung.lrs for _ in range(rung.seeds)]
    return torch.tensor(factors, dtype=torch.float32, device=device)
