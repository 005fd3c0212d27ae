"""Every rank holds a share of every weight: torch's FSDP2 (`fully_shard`), block by block.

A weight of K packed models is a (K·inputs, outputs) parameter here, divided along its first axis,
so that any number of models shards alike. Drawn, gathered and restored weight by weight: no rank
ever holds a whole model, but the leader, in its main memory, while it saves.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard

from isoflop.base.errors import InputError
from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.distributed.group import Group
from isoflop.lab.distributed.shards import Shard, ShardedAdamW
from isoflop.lab.engines.placement import Placement
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.families import build_model
from isoflop.lab.models.layout import Weight, layout
from isoflop.lab.models.pack import draw_initial
from isoflop.lab.models.transformer import Transformer
from isoflop.lab.recipes.optimizers import rate_factors
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.recipes.recipe import Recipe


class _Weights(nn.Module):
    """Some weights as parameters without numbers yet."""

    def __init__(self, weights: Mapping[str, Weight], packed: int) -> None:
        super().__init__()
        self._shapes = {name: (packed, *weight.shape) for name, weight in weights.items()}
        for name, (_, inputs, outputs) in self._shapes.items():
            empty = torch.empty(packed * inputs, outputs, device="meta")
            self.register_parameter(name, nn.Parameter(empty))

    def views(self) -> dict[str, Tensor]:
        """Return name → (K, inputs, outputs), whole while FSDP has gathered them."""
        return {name: self.get_parameter(name).view(shape) for name, shape in self._shapes.items()}


class _Block(_Weights):
    """One layer, gathered when it is needed and let go after."""

    def __init__(
        self, model: Transformer, layer: int, weights: Mapping[str, Weight], packed: int
    ) -> None:
        super().__init__(weights, packed)
        self._model, self._layer = model, layer

    def forward(self, hidden: Tensor, rows: int, drop: Drop | None) -> Tensor:
        """Return the states after the layer."""
        weights = {f"{self._layer}.{name}": view for name, view in self.views().items()}
        return self._model.block(weights, self._layer, hidden, rows, drop)


class _Whole(_Weights):
    """Tables and head, and the blocks between them."""

    def __init__(self, model: Transformer, weights: tuple[Weight, ...], packed: int) -> None:
        apart = [weight.name.rpartition(".") for weight in weights]
        super().__init__(
            {
                role: w
                for (layer, _, role), w in zip(apart, weights, strict=True)
                if not layer
            },
            packed,
        )  # fmt: skip
        self._model = model
        by_layer: dict[int, dict[str, Weight]] = {}
        for (layer, _, role), weight in zip(apart, weights, strict=True):
            if layer:
                by_layer.setdefault(int(layer), {})[role] = weight
        self.blocks = nn.ModuleList(
            _Block(model, layer, own, packed) for layer, own in sorted(by_layer.items())
        )

    def forward(self, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return (K, T, V) logits of (K, R, s) tokens."""
        weights = self.views()
        hidden = self._model.embed(weights, inputs, drop)
        for layer in self._model.layers:
            hidden = self.blocks[layer](hidden, inputs.shape[1], drop)
        return self._model.read_out(weights, hidden)


class Sharded:
    """The model of all ranks together; transformers with AdamW.

    Args:
        group: the ranks.
        rung: shape, seeds and rates.
        recipe: settled.
        seeds: (root, index) of each model.
        placement: precision; weights, moments and sums of gradients stay in float32.
    """

    def __init__(
        self,
        group: Group,
        rung: Rung,
        recipe: Recipe,
        seeds: list[tuple[int, int]],
        placement: Placement,
    ) -> None:
        base, device, dtype = recipe.base_width, group.device, placement.torch_dtype
        model = build_model(rung.architecture, base_width=base, device=device, dtype=dtype)
        assert isinstance(model, Transformer), "see check_split"
        weights = layout(rung.architecture, base)
        self._whole = _shard(_Whole(model, weights, len(seeds)), group, dtype)
        own = dict(self._whole.named_parameters())
        factors = rate_factors(rung, torch.device("cpu"))
        shards = [
            Shard(weight, own[_path(weight.name)], group, len(seeds), factors) for weight in weights
        ]
        for shard, (_, numbers) in zip(shards, draw_initial(weights, seeds), strict=True):
            shard.fill(numbers)
        self._optimizer = ShardedAdamW(group, shards, recipe)

    def refresh(self) -> None:
        """Let go of gathered weights, which may be old, and clear the gradient: before a pass."""
        assert isinstance(self._whole, FSDPModule)
        self._whole.reshard()
        self._optimizer.clear()

    def train_logits(self, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return logits whose backward pass averages the gradients over the ranks."""
        logits: Tensor = self._whole(inputs, drop)
        return logits

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits for evaluation; every rank must ask as often."""
        logits: Tensor = self._whole(inputs, None)
        return logits

    def move(self, step: int, lr: float) -> None:
        """Take the optimizer step, every rank on its shares."""
        self._optimizer.step(step, lr)

    def noise(self, windows: Tensor) -> list[NoiseScale]:
        """Refuse: see `check_split`, which does so before training."""
        raise InputError(f"gradient noise of {len(windows)} windows is not measured on shards")

    def gather(self) -> dict[str, Tensor]:
        """Return on the leader what one process's optimizer would save."""
        return self._optimizer.gather()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put back the leader's state, every rank its shares."""
        self._optimizer.restore(state)


def _shard(whole: _Whole, group: Group, dtype: torch.dtype) -> nn.Module:
    """Divide every block, then what is left, among the ranks; nothing is filled in yet."""
    policy = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    mesh = group.mesh()
    for block in whole.blocks:
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(whole, mesh=mesh, mp_policy=policy)
    return whole.to_empty(device=group.device)


def _path(name: str) -> str:
    """Return the module's name of a weight of the layout.

    >>> _path("0.qkv"), _path("head")
    ('blocks.0.qkv', 'head')
    """
    return f"blocks.{name}" if "." in name else name
