"""Forward and backward of one step, by any kind of step an engine may name."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor

from isoflop.lab.engines.engine import Steps
from isoflop.lab.models.cross_entropy import CrossEntropy
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.families import LanguageModel
from isoflop.lab.models.pack import Pack

StepLosses: TypeAlias = Callable[[Tensor, Drop | None], Tensor]
"""Takes (K, R, s + 1) tokens, adds to the pack's gradient, returns (K,) losses without one."""


def make_step(kind: Steps, model: LanguageModel, pack: Pack) -> StepLosses:
    """Return the forward and backward pass of a step.

    Args:
        kind: `eager`; `compiled` by torch.compile; `graph`, captured at the first call and
            replayed, for one shape of tokens, without dropout.
        model: the forward pass.
        pack: the weights; its gradient is added to.
    """
    forward = _forward(model, pack)
    if kind == "graph":
        return _Captured(forward, pack)
    if kind == "compiled":
        forward = torch.compile(forward, dynamic=False)

    def step(tokens: Tensor, drop: Drop | None) -> Tensor:
        losses = forward(tokens, drop)
        losses.sum().backward()
        return losses.detach()

    return step


def _forward(model: LanguageModel, pack: Pack) -> Callable[[Tensor, Drop | None], Tensor]:
    def forward(tokens: Tensor, drop: Drop | None) -> Tensor:
        targets = tokens[..., 1:].reshape(tokens.shape[0], -1)
        losses: Any = CrossEntropy.apply(
            model.logits(pack.weights, tokens[..., :-1], drop), targets
        )
        return losses

    return forward


class _Captured:
    """A CUDA graph: some 250 launches of a small model's step become one."""

    def __init__(self, forward: Callable[[Tensor, Drop | None], Tensor], pack: Pack) -> None:
        self._forward, self._pack = forward, pack
        self._graph: torch.cuda.CUDAGraph | None = None
        self._tokens = self._losses = torch.empty(0)

    def __call__(self, tokens: Tensor, drop: Drop | None) -> Tensor:
        if self._graph is None:
            self._capture(tokens)
        assert self._graph is not None
        self._tokens.copy_(tokens)
        self._graph.replay()
        return self._losses.clone()

    def _capture(self, tokens: Tensor) -> None:
        """Warm up on a stream of its own, as torch's documentation asks, then record."""
        self._tokens = tokens.clone()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self._run()
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._losses = self._run()
        self._pack.gradient.zero_()

    def _run(self) -> Tensor:
        losses = self._forward(self._tokens, None)
        losses.sum().backward()
        return losses.detach()
