"""A law with constants to check it at: one entry of a contract suite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.law import AbstractLaw, Array
from isoflop.testing.designs import make_designs

POINTS: Mapping[str, tuple[float, ...]] = {
    "n_params": (3e7, 4e8, 6.34e9, 7e10),
    "n_params_non_embedding": (2e7, 3e8, 6e9, 6.9e10),
    "n_params_with_head": (2.5e7, 3.5e8, 6.2e9, 6.95e10),
    "n_tokens": (4e9, 9e10, 2.42e11, 1.4e12),
    "n_tokens_unique": (4e9, 2e10, 2.5e10, 2e12),
    "flops": (1e17, 1e19, 3e21, 6e23),
    "steps": (2e3, 1e4, 8e4, 5e5),
    "batch_tokens": (6.5e4, 5e5, 2e6, 4e6),
    "lr": (1e-2, 3e-3, 6e-4, 1e-4),
    "loss": (4.6, 3.4, 2.6, 1.9),
    "error_upstream": (0.9, 0.5, 0.2, 0.05),
    "n_finetune": (3e5, 2e6, 5e7, 3e8),
}
"""Four runs, from small to large, in the columns every run table knows."""


@dataclass(frozen=True)
class LawCase:
    """One law and the constants its contract is checked at.

    Args:
        law: the law.
        thetas: parameter vectors in the law's order, published or plausible; the first is the
            one that is planted and recovered.
        columns: {column: values at four runs or more}; may be left out where all columns are
            in `POINTS`.
        designs: {name: {column: (n_runs,)}}, the ladders its constants are planted on; left
            out, `make_designs` draws them between the ends of `columns`.
        recovers: `parameters` where runs pin every constant, `prediction` where different
            constants may mean the same curve (two exchangeable terms), `nothing` for laws that
            are not fitted to single runs.
        tolerance: largest relative error of a recovered constant or prediction.
        label: name of the case in the output, the law's own if empty.

    >>> from isoflop.laws.power import PowerLaw
    >>> LawCase(PowerLaw("flops"), [[20.0, 0.095]]).name
    'power over flops'
    """

    law: AbstractLaw
    thetas: Sequence[Sequence[float]]
    columns: Mapping[str, Sequence[float]] | None = None
    designs: Mapping[str, Mapping[str, Array]] | None = None
    recovers: Literal["parameters", "prediction", "nothing"] = "parameters"
    tolerance: float = 1e-6
    label: str = ""

    @property
    def name(self) -> str:
        """Label of the case: the law's name and its variable where it has but one."""
        single = len(self.law.variables) == 1
        return self.label or self.law.name + (f" over {self.law.variables[0]}" if single else "")

    @property
    def points(self) -> dict[str, Array]:
        """The runs it is evaluated on, {column: (n_runs,)}.

        Raises:
            InputError: a column that is neither given nor in `POINTS`.
        """
        given = {**POINTS, **(self.columns or {})}
        absent = [name for name in self.law.variables if name not in given]
        if absent:
            raise InputError(f"{self.name}: give columns= with values of {', '.join(absent)}")
        return {name: np.array(given[name], dtype=np.float64) for name in self.law.variables}

    @property
    def theta(self) -> Array:
        """The vector that is planted, (n_parameters,)."""
        return np.array(self.thetas[0], dtype=np.float64)

    @property
    def batch(self) -> Array:
        """Each vector with two strangers within 10 % of it, (n_vectors, 3, n_parameters)."""
        points = np.array(self.thetas, dtype=np.float64)
        steps = np.random.default_rng(7).uniform(0.9, 1.1, (2, points.shape[-1]))
        near = points[:, None, :] * np.concatenate([np.ones((1, points.shape[-1])), steps])
        low, high = (np.array([getattr(p, end) for p in self.law.parameters])
                     for end in ("low", "high"))  # fmt: skip
        return np.clip(near, low, high)

    @property
    def ladders(self) -> dict[str, Mapping[str, Array]]:
        """The designs its constants are recovered from, by name."""
        if self.recovers == "nothing":
            return {}
        return dict(self.designs or make_designs(self.law, self.theta, self.points))
