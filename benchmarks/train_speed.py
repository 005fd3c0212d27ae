"""Training speed by size: the packed trainer against a plain eager loop, in the same run.

Tokens/s and FLOP/s are those of all packed models together; FLOPs are counted by
`isoflop.flops_per_token` (matrix products, backward included). Two ceilings: `peak`, a large square
product in the type trained in, and `shapes`, the products of this very model, alone. On a CPU one
thread is timed, in process time, so that a busy machine answers nearly like an idle one; on a GPU
wall time. `first` is the wall time from nothing to the end of the first step, compilation included.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from benchmarks._plain_training import plain_loop
from isoflop.accounting.architecture import Architecture
from isoflop.accounting.flops import flops_per_token
from isoflop.accounting.params import count_params
from isoflop.lab.data.stream import TokenStream
from isoflop.lab.engines.placement import Placement, settle_threads
from isoflop.lab.engines.probe import probe_machine
from isoflop.lab.loop import Trainer
from isoflop.runs.ladders.ladder import Recipe, Rung

VOCABULARY = 256
TOKENS = np.random.default_rng(0).integers(0, VOCABULARY, 4_000_000).astype(np.uint16)


@dataclass(frozen=True)
class Size:
    """One size: layers, width, context and tokens a step of each model."""

    n_layer: int
    d_model: int
    n_ctx: int
    batch: int

    @property
    def shape(self) -> Architecture:
        """The model."""
        return Architecture(
            n_layer=self.n_layer, d_model=self.d_model, n_head=max(2, self.d_model // 64),
            n_ctx=self.n_ctx, n_vocab=VOCABULARY, tied=False, positions="rotary",
        )  # fmt: skip


SIZES = {
    "cpu": (
        Size(2, 8, 64, 1024),
        Size(2, 24, 64, 1024),
        Size(2, 64, 64, 1024),
        Size(5, 128, 64, 1024),
        Size(6, 384, 64, 1024),
    ),
    "cuda": (
        Size(2, 64, 128, 4096),
        Size(5, 128, 128, 4096),
        Size(6, 384, 256, 8192),
        Size(12, 832, 1024, 16384),
        Size(24, 1024, 1024, 16384),
    ),
}
"""N_non-embedding of about 1e3, 1e4, 1e5, 1e6 and 1e7; on a GPU 1e5, 1e6, 1e7, 1e8 and 3e8."""


@dataclass(frozen=True)
class Speed:
    """What one size gave."""

    n_params: int
    packed: int
    tokens_per_s: float
    plain_tokens_per_s: float
    ratio: float
    flop_per_s: float
    share_of_peak: float
    share_of_shapes: float
    first_seconds: float
    plain_first_seconds: float


class Bench:
    """One machine: where to train, how long to time, its peak."""

    def __init__(self, device: str, seconds: float) -> None:
        probe = probe_machine(device)
        self.placement: Placement = probe.placement
        self.device, self.dtype = self.placement.torch_device, self.placement.torch_dtype
        self.seconds = seconds
        self.clock = time.perf_counter if device == "cuda" else time.process_time
        side = 8192 if device == "cuda" else 1024
        self.peak = self.product_rate([(side, side, side)])

    def product_rate(self, shapes: Sequence[tuple[int, int, int]], batch: int = 1) -> float:
        """FLOP/s of some products, one after the other, `batch` models side by side."""
        pairs = [(self._ones(batch, m, k), self._ones(batch, k, n)) for m, k, n in shapes]
        flops = sum(2 * batch * m * k * n for m, k, n in shapes)

        def run(times: int) -> None:
            for _ in range(times):
                for left, right in pairs:
                    torch.bmm(left, right)

        return flops * self.rate(run)

    def rate(self, run: Callable[[int], object]) -> float:
        """Calls a second, the best of four stretches."""
        run(1)
        times = 1
        while (took := self._time(run, times)) < self.seconds / 8:
            times *= 2
        times = max(1, round(times * self.seconds / 4 / took))
        stretches = 4 if took < self.seconds else 2
        return times / min(self._time(run, times) for _ in range(stretches))

    def _time(self, run: Callable[[int], object], times: int) -> float:
        self.wait()
        start = self.clock()
        run(times)
        self.wait()
        return max(self.clock() - start, 1e-9)

    def wait(self) -> None:
        """Let a GPU finish what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def _ones(self, *shape: int) -> torch.Tensor:
        return torch.ones(*shape, device=self.device, dtype=self.dtype)


def packed_loop(size: Size, packed: int, bench: Bench) -> Callable[[int], None]:
    """Return a function that trains `packed` models for some steps."""
    streams = [TokenStream(TOKENS, size.n_ctx, (0, seed)) for seed in range(packed)]
    trainer = Trainer(
        Rung("r", size.shape, packed, (size.batch * 1000,)),
        Recipe(batch_tokens=size.batch),
        streams,
        seeds=[(0, seed) for seed in range(packed)],
        device=bench.device,
        dtype=bench.dtype,
    )
    done = 0

    def run(steps: int) -> None:
        nonlocal done
        trainer.advance(done, done + steps, lambda step: 1e-3)
        done += steps

    return run


def layer_products(size: Size) -> list[tuple[int, int, int]]:
    """(tokens, inputs, outputs) of the forward products of one model."""
    tokens, d = size.batch, size.d_model
    layer = [(tokens, d, 3 * d), (tokens, d, d), (tokens, d, 4 * d), (tokens, 4 * d, d)]
    return layer * size.n_layer + [(tokens, d, VOCABULARY)]


def measure(size: Size, packings: Sequence[int], bench: Bench) -> list[Speed]:
    plain, plain_first = _first(
        lambda: plain_loop(size.shape, TOKENS, size.batch, bench.device), bench
    )
    theirs = bench.rate(plain) * size.batch
    del plain
    return [_measure_pack(size, packed, bench, theirs, plain_first) for packed in packings]


def _measure_pack(
    size: Size, packed: int, bench: Bench, theirs: float, plain_first: float
) -> Speed:
    run, first = _first(lambda: packed_loop(size, packed, bench), bench)
    ours = bench.rate(run) * size.batch * packed
    flops = ours * flops_per_token(size.shape).matmul
    return Speed(
        count_params(size.shape).non_embedding,
        packed,
        ours,
        theirs,
        ours / theirs,
        flops,
        flops / bench.peak,
        flops / bench.product_rate(layer_products(size), packed),
        first,
        plain_first,
    )


def _first(
    build: Callable[[], Callable[[int], None]], bench: Bench
) -> tuple[Callable[[int], None], float]:
    """Build a loop and take its first step; return it with the wall seconds of both."""
    start = time.perf_counter()
    run = build()
    run(1)
    bench.wait()
    return run, time.perf_counter() - start


def _warm_up(bench: Bench) -> float:
    """Wall seconds of what libraries do once a process, whoever trains first."""
    start = time.perf_counter()
    tiny = Size(1, 8, 16, 32)
    plain_loop(tiny.shape, TOKENS, tiny.batch, bench.device)(1)
    packed_loop(tiny, 1, bench)(1)
    bench.wait()
    return time.perf_counter() - start


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train_speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    parser.add_argument("--device", choices=tuple(SIZES), help="cuda where there is one")
    parser.add_argument("--pack", type=int, nargs="+", default=[1, 4], help="models side by side")
    parser.add_argument("--batch", type=int, help="tokens a step of each model")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


HEADER = (
    "         N  K batch   ours tok/s  plain tok/s  ratio  GFLOP/s  peak shapes  "
    "first ours/plain, s"
)


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    device = options.device or ("cuda" if torch.cuda.is_available() else "cpu")
    settle_threads()
    torch.manual_seed(0)
    before = os.getloadavg()[0]
    bench = Bench(device, 0.4 if options.quick else 4.0)
    started = _warm_up(bench)
    sizes = SIZES[device]
    if options.batch:
        sizes = tuple(Size(s.n_layer, s.d_model, s.n_ctx, options.batch) for s in sizes)
    name = torch.cuda.get_device_name() if device == "cuda" else "one CPU thread"
    head = (
        f"{name}, {bench.placement.precision}, torch {torch.__version__}, "
        f"peak {bench.peak / 1e9:,.0f} GFLOP/s, load average {before:.2f}; libraries took "
        f"{started:.1f} s to set up before the first model of all"
    )
    if not options.json:
        print(head)
        print(HEADER)
    speeds = []
    for size in sizes:
        # A pack of the largest takes half of the minutes, and tells what the next smaller tells.
        largest = options.quick and len(sizes) > 1 and size is sizes[-1]
        for speed in measure(size, options.pack[:1] if largest else options.pack, bench):
            speeds.append(speed)
            if not options.json:
                print(_line(speed, size), flush=True)
    after = os.getloadavg()[0]
    if options.json:
        rows = [asdict(speed) for speed in speeds]
        print(json.dumps({"machine": head, "load_after": after, "speeds": rows}, indent=1))
    else:
        print(f"load average at the end {after:.2f}")


def _line(speed: Speed, size: Size) -> str:
    return (
        f"{speed.n_params:10,d} {speed.packed:2d} {size.batch:5d} {speed.tokens_per_s:12,.0f} "
        f"{speed.plain_tokens_per_s:12,.0f} {speed.ratio:5.2f}x {speed.flop_per_s / 1e9:8,.1f} "
        f"{speed.share_of_peak:5.0%} {speed.share_of_shapes:5.0%}   "
        f"{speed.first_seconds:8.3f} / {speed.plain_first_seconds:.3f}"
    )


if __name__ == "__main__":
    main()
