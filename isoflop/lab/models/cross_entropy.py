"""Cross-entropy of K packed models with a backward that reuses the probabilities.

torch's log_softmax backward takes the exponentials a second time; with 256 classes that was a
tenth of a training step.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx, once_differentiable

_SMALLEST = 1e-37
"""Keeps log(p) finite: a loss above 85 nats is reported as 85."""


class CrossEntropy(Function):
    """Mean negative log-likelihood of each packed model, in nats per token."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, targets: Tensor) -> Tensor:
        """Return (K,) losses of (K, T, V) logits against (K, T) targets."""
        probabilities = torch.softmax(logits, -1, dtype=torch.float32)
        index = targets.unsqueeze(-1)
        ctx.save_for_backward(probabilities, index)
        ctx.dtype = logits.dtype  # pyright: ignore[reportAttributeAccessIssue]
        picked = probabilities.gather(-1, index).squeeze(-1)
        return picked.clamp_min(_SMALLEST).log_().mean(-1).neg_()

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: FunctionCtx, *gradients: Tensor
    ) -> tuple[Tensor, None]:
        """Return (p − one-hot)·gradient/T; overwrites the saved probabilities."""
        probabilities, index = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        minus_one = torch.full_like(index, -1, dtype=torch.float32)
        probabilities.scatter_add_(-1, index, minus_one)
        probabilities.mul_(gradients[0].view(-1, 1, 1) / index.shape[1])
        return probabilities.to(ctx.dtype), None  # pyright: ignore[reportAttributeAccessIssue]
