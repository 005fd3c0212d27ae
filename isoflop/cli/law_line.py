"""The law that a table of numbers rests on, and the unit of the losses in it."""

from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.laws.published.entry import UNITS
from isoflop.plan.optimum.choose import AnyLaw, choose_law

ASSUMED = " (assumed)"


def loss_unit(law: AnyLaw | str) -> str:
    """Unit of the losses of a law: a fit's own, nats per token of a published one.

    >>> loss_unit("besiroglu-2024")
    'nats/token'
    """
    chosen = choose_law(law) if isinstance(law, str) else law
    if isinstance(chosen, Fit | Frontier):
        return chosen.data.loss_unit.removesuffix(ASSUMED)
    if isinstance(chosen, AutomaticFit):
        return chosen.data.loss_unit.removesuffix(ASSUMED) if chosen.data else UNITS["loss"]
    return UNITS["loss"]


def predicted_unit(law: AnyLaw | str, quantity: str) -> str:
    """Unit of what a law predicts; empty for a quantity of one's own.

    >>> predicted_unit("hernandez-2021-text", "n_transferred")
    'characters'
    """
    if quantity == "loss":
        return loss_unit(law)
    return "" if UNITS.get(quantity) == "1" else UNITS.get(quantity, "")


def lost_unit(law: AnyLaw | str) -> str:
    """The unit of a difference of losses, as the title of a column: nats, or the unit itself."""
    unit = loss_unit(law)
    return "nats" if unit == UNITS["loss"] else unit


def law_line(law: str) -> str:
    """Name the law, where it comes from, and which N, C and loss are meant by it: two lines.

    >>> print(law_line("gadre-2024-c4"))
    law  gadre-2024-c4: Gadre et al. 2024 (arXiv 2403.08540), C4
         N all parameters; C = 6ND; loss on C4 validation, nats per GPT-NeoX token
    """
    chosen = choose_law(law)
    if isinstance(chosen, Fit):
        made = f"{chosen.law.name} fitted to {chosen.n_runs} runs of {chosen.data.source}"
        return f"law  {law}: {made}\n     {chosen.convention}; loss in {chosen.data.loss_unit}"
    if isinstance(chosen, Frontier | AutomaticFit):
        return f"law  {law}"
    own = "\n     loss in nats per token of its authors' tokenizer and text"
    told = "" if "nats" in chosen.convention else own
    return f"law  {chosen.name}: {chosen.source}\n     {chosen.convention}{told}"
