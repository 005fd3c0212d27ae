"""Train two seeds of a width: the packed trainer against a plain eager PyTorch loop, one thread."""

import os
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.loop import Trainer
from isoflop.lab.placement import settle_threads
from isoflop.lab.probe import probe_machine
from isoflop.runs.ladder import Recipe, Rung

SEEDS, BATCH, CONTEXT, VOCABULARY, LAYERS = 2, 256, 64, 256, 2
WIDTHS = (16, 32, 64, 128)
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, 1_000_000).astype(np.uint16)


class PlainBlock(nn.Module):
    """A block as tutorials write it: one module a layer, scaled_dot_product_attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        rows, context, width = x.shape
        parts = self.qkv(self.norms[0](x)).view(rows, context, 3, 2, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(rows, context, width))
        return x + self.down(F.gelu(self.up(self.norms[1](x))))


def plain_loop(width: int) -> Callable[[int], None]:
    """float32, torch.optim.AdamW, learned positions, the seeds one after the other."""
    table, places = nn.Embedding(VOCABULARY, width), nn.Embedding(CONTEXT, width)
    blocks = nn.Sequential(*(PlainBlock(width) for _ in range(LAYERS)), nn.LayerNorm(width))
    model = nn.ModuleList([table, places, blocks, nn.Linear(width, VOCABULARY, bias=False)])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    stream, rows = TokenStream(TOKENS, CONTEXT, (0, 0)), BATCH // CONTEXT

    def run(steps: int) -> None:
        for step in range(SEEDS * steps):
            batch = torch.from_numpy(stream.rows(step * rows, rows).astype(np.int64))
            hidden = blocks(table(batch[:, :-1]) + places.weight)
            loss = F.cross_entropy(model[3](hidden).flatten(0, 1), batch[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return run


def packed_loop(shape: Architecture, dtype: torch.dtype) -> Callable[[int], None]:
    streams = [TokenStream(TOKENS, CONTEXT, (0, seed)) for seed in range(SEEDS)]
    trainer = Trainer(
        Rung("r", shape, SEEDS, (BATCH * 1000,)),
        Recipe(batch_tokens=BATCH),
        streams,
        seeds=[(0, seed) for seed in range(SEEDS)],
        device=torch.device("cpu"),
        dtype=dtype,
    )
    return lambda steps: trainer.advance(0, steps, lambda step: 1e-3) and None


def tokens_per_s(run: Callable[[int], None], steps: int = 60) -> float:
    """Best of four, in process time, so that a busy machine answers like an idle one."""
    run(10)
    best = min(_seconds(run, steps) for _ in range(4))
    return SEEDS * steps * BATCH / best


def _seconds(run: Callable[[int], None], steps: int) -> float:
    start = time.process_time()
    run(steps)
    return time.process_time() - start


def main() -> None:
    probe = probe_machine()
    settle_threads()
    print(
        f"two seeds, batch {BATCH}, {LAYERS} layers, context {CONTEXT}, {probe.precision}; "
        f"probe {probe.flop_per_s / 1e9:.0f} GFLOP/s a core"
    )
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        print("  (workers also set MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_)")
    for width in WIDTHS:
        shape = Architecture(
            n_layer=LAYERS, d_model=width, n_head=2, n_ctx=CONTEXT, n_vocab=VOCABULARY,
            tied=False, positions="rotary",
        )  # fmt: skip
        ours = tokens_per_s(packed_loop(shape, probe.placement.torch_dtype))
        theirs = tokens_per_s(plain_loop(width))
        rate = ours * flops_per_token(shape).matmul / 1e9
        print(
            f"  width {width:4d}: packed {ours / 1e3:6.0f}k tokens/s ({rate:5.1f} GFLOP/s), "
            f"plain {theirs / 1e3:6.0f}k, ratio {ours / theirs:4.1f}x"
        )


if __name__ == "__main__":
    main()
