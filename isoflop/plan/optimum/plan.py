"""A plan: the parameters and tokens for a budget, and the loss to expect, of the mean and a run."""

from dataclasses import dataclass

from isoflop.base.estimate import Estimate
from isoflop.fitting.foresight.covers import MEAN
from isoflop.runs.checks import Finding


@dataclass(frozen=True)
class Plan:
    """What to train with a budget.

    Args:
        law: name of the law.
        flops: the budget.
        n_params: optimal parameters.
        n_tokens: optimal tokens.
        loss: loss of the law there (its mean, not one run's).
        tokens_per_param: D*/N*.
        notes: how far the plan reaches and what it rests on.
        loss_covers: what the interval of `loss` covers, in words.
        run_loss: loss of a single run there, its noise in; None where nothing tells.
        run_covers: what the interval of `run_loss` covers, in words.
        findings: what a reader must know: of the fit, and of how far the plan reaches.
    """

    law: str
    flops: float
    n_params: Estimate
    n_tokens: Estimate
    loss: Estimate
    tokens_per_param: Estimate
    notes: tuple[str, ...] = ()
    loss_covers: str = MEAN
    run_loss: Estimate | None = None
    run_covers: str = ""
    findings: tuple[Finding, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the contract's JSON object."""
        return {
            "law": self.law,
            "flops": self.flops,
            "n_params": self.n_params.to_dict(),
            "n_tokens": self.n_tokens.to_dict(),
            "loss": self.loss.to_dict(),
            "loss_covers": self.loss_covers,
            "run_loss": self.run_loss.to_dict() if self.run_loss else None,
            "run_loss_covers": self.run_covers,
            "tokens_per_param": self.tokens_per_param.to_dict(),
            "notes": list(self.notes),
            "findings": [finding.to_dict() for finding in self.findings],
        }
