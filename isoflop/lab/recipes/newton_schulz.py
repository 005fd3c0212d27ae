"""Orthogonalise a stack of matrices without a singular value decomposition."""

import torch
from torch import Tensor

JORDAN = (3.4445, -4.7750, 2.0315)
"""Quintic of Jordan et al. 2024 (Muon), as torch.optim.Muon has it: steep at zero, so that five
steps bring every singular value between about .7 and 1.2 instead of exactly to 1."""
CLASSICAL = (1.5, -0.5, 0.0)
"""The cubic that converges to the polar factor."""
STEPS = 5
_EPS = 1e-7


def orthogonalise(
    matrices: Tensor, coefficients: tuple[float, float, float] = JORDAN, steps: int = STEPS
) -> Tensor:
    """Return matrices of the same singular vectors whose singular values are near 1.

    X ← aX + (bA + cA²)X with A = XXᵀ, from X = G/‖G‖.

    Args:
        matrices: (K, r, c).
        coefficients: a, b, c.
        steps: iterations.
    """
    a, b, c = coefficients
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = x / torch.linalg.matrix_norm(x, keepdim=True).clamp(min=_EPS)
    for _ in range(steps):
        gram = torch.bmm(x, x.transpose(1, 2))
        gram = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
        x = torch.baddbmm(x, gram, x, beta=a)
    return x.transpose(1, 2) if tall else x
