"""The recurrence of an LSTM layer, K models packed, with its own backward.

Legend, per token t: gates i (input), f (forget), g (cell), o (output) = activations of
x_t·W + h_{t−1}·U; c_t = f·c_{t−1} + i·g; h_t = o·tanh c_t (Hochreiter & Schmidhuber 1997, forget
gate of Gers et al. 2000). The state before the first token is zero, so its product is not made.
The backward makes the product of U's gradient once for all tokens. Shapes: s tokens, K models,
R rows, h wide.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

FORGET_BIAS = 1.0
"""Added to the forget gate: a new model remembers (Jozefowicz et al. 2015)."""


class Recurrence(Function):
    """h_1 … h_s from the inputs' share of the gates."""

    @staticmethod
    def forward(ctx: Any, gates: Tensor, state: Tensor) -> Tensor:
        """Return (s, K, R, h).

        Args:
            ctx: kept for the backward pass.
            gates: (s, K, R, 4·h) x·W, as input, forget, cell, output.
            state: (K, h, 4·h) U.
        """
        gates = gates.clone(memory_format=torch.contiguous_format)
        width = state.shape[1]
        gates[..., width : 2 * width] += FORGET_BIAS
        hidden = gates.new_empty(*gates.shape[:3], width)
        cells = torch.empty_like(hidden, dtype=_cell_type(gates))
        squashed = torch.empty_like(hidden)
        for t in range(len(gates)):
            gate = gates[t]
            if t:
                gate.baddbmm_(hidden[t - 1], state)
            gate[..., : 2 * width].sigmoid_()
            gate[..., 2 * width : 3 * width].tanh_()
            gate[..., 3 * width :].sigmoid_()
            into, forget, new, out = gate.chunk(4, -1)
            torch.mul(into, new, out=cells[t])
            if t:
                cells[t].addcmul_(forget, cells[t - 1])
            squashed[t] = cells[t].tanh()
            torch.mul(out, squashed[t], out=hidden[t])
        ctx.save_for_backward(gates, state, hidden, cells, squashed)
        return hidden

    @staticmethod
    @once_differentiable
    def backward(  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx: Any, *gradients: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the gradients of the gates' inputs and of U."""
        gates, state, hidden, cells, squashed = ctx.saved_tensors
        slopes, through = _slopes(gates, cells, squashed)
        forget = gates.chunk(4, -1)[1]
        d_gates = torch.empty_like(gates)
        d_hidden = gradients[0][-1]
        d_cell = torch.zeros_like(cells[0])
        back = state.transpose(1, 2)
        for t in range(len(gates) - 1, -1, -1):
            d_cell.addcmul_(d_hidden, through[t])
            torch.mul(_four(slopes[t])[..., :3, :], d_cell.unsqueeze(-2),
                      out=_four(d_gates[t])[..., :3, :])  # fmt: skip
            torch.mul(_four(slopes[t])[..., 3, :], d_hidden, out=_four(d_gates[t])[..., 3, :])
            if t:
                d_hidden = torch.baddbmm(gradients[0][t - 1], d_gates[t], back)
                d_cell.mul_(forget[t])
        return d_gates, _by_model(hidden[:-1]).transpose(1, 2) @ _by_model(d_gates[1:])


def _slopes(gates: Tensor, cells: Tensor, squashed: Tensor) -> tuple[Tensor, Tensor]:
    """Return the derivatives of (c_t, c_t, c_t, h_t) by the four gates' inputs, and ∂h_t/∂c_t."""
    into, forget, new, out = gates.chunk(4, -1)
    before = torch.cat((torch.zeros_like(cells[:1]), cells[:-1])).to(gates.dtype)
    slopes = torch.cat(
        (
            new * into * (1 - into),
            before * forget * (1 - forget),
            into * (1 - new * new),
            squashed * out * (1 - out),
        ),
        -1,
    )
    return slopes, out * (1 - squashed * squashed)


def _four(gate: Tensor) -> Tensor:
    """Return (K, R, 4, h), a view, from (K, R, 4·h)."""
    return gate.view(*gate.shape[:-1], 4, -1)


def _by_model(steps: Tensor) -> Tensor:
    """Return (K, s·R, …) from (s, K, R, …)."""
    return steps.transpose(0, 1).flatten(1, 2)


def _cell_type(gates: Tensor) -> torch.dtype:
    """Cells add up over a window: bfloat16 would lose small steps."""
    return torch.float32 if gates.dtype == torch.bfloat16 else gates.dtype
