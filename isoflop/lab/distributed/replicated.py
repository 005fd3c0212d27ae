"""Every rank holds the whole model: torch's DistributedDataParallel over the pack's own buffers."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from isoflop.fitting.batch.noise_scale import NoiseScale
from isoflop.lab.distributed.group import Group
from isoflop.lab.engines.placement import Placement
from isoflop.lab.measures.noise_scale import measure_noise
from isoflop.lab.models.dropout import Drop
from isoflop.lab.models.families import LanguageModel, build_model
from isoflop.lab.models.pack import make_pack
from isoflop.lab.recipes.optimizers import make_optimizer, rate_factors
from isoflop.runs.ladders.ladder import Rung
from isoflop.runs.recipes.recipe import Recipe


class _Leaves(nn.Module):
    """The pack as a module: parameters are its buffers, their gradients its gradient buffer.

    DistributedDataParallel writes the averages back into gradients that are there, so optimizers
    find them in the pack's flat buffer as after a backward pass of one process.
    """

    def __init__(self, model: LanguageModel, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._model = model
        self._names = {name: f"weight_{name.replace('.', '_')}" for name in weights}
        for name, leaf in weights.items():
            parameter = nn.Parameter(leaf.detach())
            parameter.grad = leaf.grad
            self.register_parameter(self._names[name], parameter)

    def forward(self, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return (K, T, V) logits."""
        weights = {name: self.get_parameter(own) for name, own in self._names.items()}
        return self._model.logits(weights, inputs, drop)


class Replica:
    """The model of one rank; any family, any optimizer.

    Args:
        group: the ranks.
        rung: shape, seeds and rates.
        recipe: settled.
        seeds: (root, index) of each model.
        placement: precision.
    """

    def __init__(
        self,
        group: Group,
        rung: Rung,
        recipe: Recipe,
        seeds: list[tuple[int, int]],
        placement: Placement,
    ) -> None:
        self._group = group
        placed = {
            "base_width": recipe.base_width,
            "device": group.device,
            "dtype": placement.torch_dtype,
        }
        self._model = build_model(rung.architecture, **placed)
        self._pack = make_pack(rung.architecture, seeds, **placed)
        self._optimizer = make_optimizer(self._pack, recipe, rate_factors(rung, group.device))
        self._leaves = _Leaves(self._model, self._pack.weights)
        devices = [group.device] if group.device.type == "cuda" else None
        self._parallel = DistributedDataParallel(self._leaves, device_ids=devices)

    def refresh(self) -> None:
        """Cast the weights and clear the gradient: before every pass of training or evaluation."""
        self._pack.refresh()

    def train_logits(self, inputs: Tensor, drop: Drop | None) -> Tensor:
        """Return logits whose backward pass averages the gradients over the ranks."""
        logits: Tensor = self._parallel(inputs, drop)
        return logits

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits for evaluation."""
        return self._model.logits(self._pack.weights, inputs)

    def move(self, step: int, lr: float) -> None:
        """Take the optimizer step; every rank takes the same one."""
        self._optimizer.step(step, lr)

    def noise(self, windows: Tensor) -> list[NoiseScale]:
        """Measure the gradient noise on this rank alone, see `measure_noise`."""
        return measure_noise(self._model, self._pack, windows)

    def gather(self) -> dict[str, Tensor]:
        """Return what one process's optimizer would save; the leader's is used."""
        return self._optimizer.state() if self._group.leads else {}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Put back the leader's state, on every rank."""
        template = self._optimizer.state()
        for name in sorted(template):
            source = state[name] if self._group.leads else template[name]
            template[name] = self._group.spread(source)
        self._optimizer.restore(template)
