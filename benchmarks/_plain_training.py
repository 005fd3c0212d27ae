"""The trainer that everyone writes first: a small GPT as tutorials have it, one model at a time.

After nanoGPT: one module a layer, fused queries, keys and values, scaled_dot_product_attention,
learned positions, torch.optim.AdamW, gradients clipped, no compilation. float32 on a CPU, where
autocast is slower at these sizes; bfloat16 autocast and fused AdamW on a GPU.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from isoflop.accounting.architecture import Architecture
from isoflop.lab.data.stream import TokenStream


class _Block(nn.Module):
    """Pre-norm attention and feed-forward."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        width, self.heads = shape.d_model, shape.n_head
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        rows, context, width = x.shape
        split = self.qkv(self.norms[0](x)).view(rows, context, 3, self.heads, -1)
        parts = split.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, context, width))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


class PlainGpt(nn.Module):
    """Token and position tables, blocks, a head that is not tied."""

    def __init__(self, shape: Architecture) -> None:
        super().__init__()
        self.table = nn.Embedding(shape.n_vocab, shape.d_model)
        self.places = nn.Embedding(shape.n_ctx, shape.d_model)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.n_layer))
        self.norm = nn.LayerNorm(shape.d_model)
        self.head = nn.Linear(shape.d_model, shape.n_vocab, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        hidden = self.table(tokens) + self.places.weight
        for block in self.blocks:
            hidden = block(hidden)
        return self.head(self.norm(hidden))


def plain_loop(
    shape: Architecture, tokens: np.ndarray, batch_tokens: int, device: torch.device
) -> Callable[[int], None]:
    """Return a function that trains one model for some steps."""
    model = PlainGpt(shape).to(device)
    fused = device.type == "cuda"
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=fused)
    stream, rows = TokenStream(tokens, shape.n_ctx, (0, 0)), batch_tokens // shape.n_ctx
    done = 0

    def run(steps: int) -> None:
        nonlocal done
        for step in range(done, done + steps):
            batch = torch.from_numpy(stream.rows(step * rows, rows).astype(np.int64)).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=fused):
                logits = model(batch[:, :-1])
                loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        done += steps

    return run
