"""What a law says of N parameters, E tokens processed and U distinct ones, repeats and limits too.

Legend: N parameters, E = B·S tokens processed, U distinct tokens among them, L loss;
D' fresh tokens that the repeats are worth; R_D_star how soon repeats wear out (Muennighoff 2023).
"""

import math
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError
from isoflop.laws.catalog import PublishedLaw, find_published
from isoflop.laws.kaplan import KaplanTokensConstantLaw, KaplanTokensLaw
from isoflop.laws.law import AbstractLaw, Array
from isoflop.laws.repeated import worth_of_repeats

UNLIMITED = 1e300
"""Parameters or tokens of a limit."""

GPT_2_VOCABULARY = 50257
IGNORANT = math.log(GPT_2_VOCABULARY)
"""Nats per token of a model that knows nothing: all 50257 tokens of GPT-2's BPE alike."""

R_D_STAR = find_published("muennighoff-2023-repeated").params["R_D_star"]
"""How soon repeats wear out, for laws that do not know of repeats."""

JOINT = {"n_params", "n_tokens"}
UNIQUE = JOINT | {"n_tokens_unique"}


@dataclass(frozen=True, eq=False)
class Extractor:
    """A joint law as a loss of N, E and U.

    Args:
        law: the form, of N and D or of N, D and U.
        theta: (K, p) constants.
        distinct: whether its D counts distinct tokens, read until nothing is gained, as
            Kaplan's does.
    """

    law: AbstractLaw
    theta: Array
    distinct: bool

    def loss(self, n_params: float, n_tokens: float, unique: float) -> Array:
        """Loss, (K,)."""
        seen = min(unique, n_tokens)
        variables = {"n_params": n_params, "n_tokens": n_tokens, "n_tokens_unique": seen}
        if set(self.law.variables) == JOINT:
            repeats = np.array(n_tokens / seen - 1)
            worth = 1.0 if self.distinct else float(worth_of_repeats(repeats, np.array(R_D_STAR)))
            variables["n_tokens"] = seen * worth
        row = {name: np.array([variables[name]]) for name in self.law.variables}
        return self.law.predict(self.theta, row)[:, 0]

    def floor(self, n_tokens: float) -> Array:
        """L(D = E): the loss of a model without limit on E distinct tokens, (K,)."""
        return self.loss(UNLIMITED, n_tokens, n_tokens)

    def converged(self, unique: float) -> Array:
        """The loss of a model without limit that reads U tokens until nothing is gained, (K,)."""
        return self.loss(UNLIMITED, UNLIMITED, unique)

    def irreducible(self) -> Array:
        """E of the law, 0 where it has none, (K,)."""
        names = self.law.parameter_names
        return self.theta[:, names.index("E")] if "E" in names else np.zeros(len(self.theta))


def make_extractor(
    law: AbstractLaw, theta: Array, *, published: PublishedLaw | None = None
) -> Extractor:
    """Take a joint law as an extractor.

    Raises:
        InputError: a law of other variables.
    """
    if set(law.variables) not in (JOINT, UNIQUE):
        raise InputError(
            f"a regime needs a law of n_params and n_tokens; {law.name} reads "
            f"{', '.join(law.variables)}"
        )
    kaplan = isinstance(law, KaplanTokensLaw | KaplanTokensConstantLaw)
    return Extractor(law, np.atleast_2d(theta), kaplan and published is not None)


def extractor_efficiency(
    loss: float | Array, floor: float | Array, *, ignorant: float = IGNORANT
) -> Array:
    """Share of what its tokens teach a perfect student that a model has learnt.

    eta(N, E) = (L_0 - L(N, E)) / (L_0 - L(D = E)); above one where a law promises more than the
    tokens hold.

    Args:
        loss: L(N, E), nats/token.
        floor: L(D = E), nats/token, of a model without limit on as many distinct tokens.
        ignorant: L_0, nats/token, of a model that knows nothing.

    Raises:
        InputError: a floor that is not below L_0.

    >>> extractor_efficiency(3.0, 2.0, ignorant=10.0).item()
    0.875
    """
    floor = np.asarray(floor, dtype=np.float64)
    if not (np.isfinite(ignorant) and (floor < ignorant).all()):
        raise InputError(
            f"knowing nothing must cost more than the data allow ({floor.max():.4g}), "
            f"found L_0 = {ignorant:.4g} nats/token"
        )
    return (ignorant - np.asarray(loss, dtype=np.float64)) / (ignorant - floor)


def effective_epochs(n_tokens: float, n_tokens_unique: float) -> float:
    """E/D: how often the average distinct token is read; 1 where more are at hand than are read.

    >>> effective_epochs(300e9, 238e9) > 1.26, effective_epochs(1e9, 5e9)
    (True, 1.0)
    """
    for name, amount in (("tokens", n_tokens), ("distinct tokens", n_tokens_unique)):
        if not 0 < amount < float("inf"):
            raise InputError(f"{name} must be positive and finite, found {amount:g}")
    return n_tokens / min(n_tokens_unique, n_tokens)
