"""Vocabulary-aware loss: parameters of the vocabulary and of the rest, in a loss that compares.

Legend: N_nv parameters without embedding and head, V vocabulary, d width, N_v = V·d vocabulary
parameters (once, tied or not), H characters, D = H·f(V) tokens, C = 6·(N_nv + N_v)·D FLOPs,
L_u loss minus that of a unigram model of the same vocabulary (negative: better than counting).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.laws.law import AbstractLaw, Array, Parameter, Variables, clip_to_bounds, take_log
from isoflop.laws.power import COEFFICIENT, EXPONENT

COMPRESSION = (0.00639222, -0.15811069, 1.20470122)
"""f(V) = a·ln²V + b·ln V + c, tokens per character of SlimPajama (Tao et al. 2024, sec. 3)."""

LARGEST_VOCABULARY = 200_000
"""f is held constant beyond, as in the authors' code."""

LARGEST_PARAMS = 1e14
"""Vocabulary parameters beyond which no optimum is looked for."""


@dataclass(frozen=True)
class VocabularyLaw(AbstractLaw):
    """L_u = -E + A1/N_nv^beta + A2/N_v^alpha2 + B/D^beta; N_nv and D share an exponent.

    >>> law = VocabularyLaw()
    >>> theta = np.array([5.5328, 875.8, 2071.0, 22214.0, 0.6707, 0.4466])
    >>> runs = {"n_params_non_embedding": np.array([3e8]), "n_tokens": np.array([1e10])}
    >>> law.predict(theta, {**runs, "n_params_vocabulary": np.array([3.3e7])}).round(2)
    array([-4.61])
    """

    name: ClassVar[str] = "vocabulary"
    source: ClassVar[str] = "Tao et al. 2024, approach 3, alpha1 = beta"
    response: ClassVar[str] = "loss_unigram"
    residual_scale: ClassVar[Literal["log", "linear"]] = "linear"
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("E", "nats", 0.0, 1e3, scale="linear"),
        Parameter("A1", "nats", *COEFFICIENT),
        Parameter("A2", "nats", *COEFFICIENT),
        Parameter("B", "nats", *COEFFICIENT),
        Parameter("alpha2", "", *EXPONENT),
        Parameter("beta", "", *EXPONENT),
    )
    linear: ClassVar[tuple[str, ...]] = ("E", "A1", "A2", "B")
    falls_with: ClassVar[tuple[str, ...]] = (
        "n_params_non_embedding", "n_params_vocabulary", "n_tokens")  # fmt: skip

    @property
    def form(self) -> str:
        """The formula."""
        return (
            "-E + A1/n_params_non_embedding**beta + A2/n_params_vocabulary**alpha2 "
            "+ B/n_tokens**beta"
        )

    @property
    def variables(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ("n_params_non_embedding", "n_params_vocabulary", "n_tokens")

    def predict(self, theta: Array, variables: Variables) -> Array:
        """Predict L_u, (..., n_runs)."""
        E, A1, A2, B = (theta[..., k, None] for k in range(4))
        by_N, by_V, by_D = _decays(theta, variables)
        return A1 * by_N + A2 * by_V + B * by_D - E

    def gradient(self, theta: Array, variables: Variables) -> Array:
        """Differentiate, (..., n_runs, 6)."""
        _, A1, A2, B = (theta[..., k, None] for k in range(4))
        by_N, by_V, by_D = _decays(theta, variables)
        log_N, log_V, log_D = (take_log(variables[name]) for name in self.variables)
        columns = [
            -np.ones_like(by_N),
            by_N,
            by_V,
            by_D,
            -A2 * log_V * by_V,
            -A1 * log_N * by_N - B * log_D * by_D,
        ]
        return np.stack(columns, axis=-1)

    def propose_starts(
        self, variables: Variables, loss: Array, *, n_starts: int, rng: np.random.Generator
    ) -> Array:
        """Draw exponents, solve for the coefficients they are linear in."""
        exponents = np.exp(rng.uniform(np.log(0.1), np.log(1.2), (n_starts, 2)))
        theta = np.concatenate([np.ones((n_starts, 4)), exponents], axis=1)
        decays = _decays(theta, variables)
        basis = np.stack([-np.ones_like(decays[0]), *decays], axis=-1)
        size = np.linalg.norm(basis, axis=1)
        for k in range(n_starts):
            solved = np.linalg.lstsq(basis[k] / size[k], loss, rcond=None)[0] / size[k]
            # A term of the wrong sign starts at a hundredth of a nat instead.
            theta[k, :4] = np.where(solved > 0, solved, 0.01 / np.abs(basis[k]).mean(axis=0))
        return clip_to_bounds(self, theta)

    def derive(self, theta: Array) -> dict[str, Array]:
        """Exponent p of N_v ∝ N_nv^p at the optimum, for N_v far below N_nv and D ∝ N_nv."""
        alpha2, beta = theta[..., 4], theta[..., 5]
        # ∂L/∂N_v = 0 at fixed C: alpha2·A2·N_v^-(alpha2 + 1) = beta·B·D^-beta/(N_nv + N_v).
        return {"p_vocabulary": (1 + beta) / (1 + alpha2)}


def tokens_per_character(n_vocab: Array) -> Array:
    """Return f(V), the compression of the authors' tokenizers on SlimPajama.

    f(V) = .00639222·ln²V - .15811069·ln V + 1.20470122, constant beyond 200,000.

    Args:
        n_vocab: (...) float, entries.

    >>> tokens_per_character(np.array([4096.0, 32768.0])).round(4)
    array([0.3318, 0.2518])
    """
    a, b, c = COMPRESSION
    log_V = np.log(np.minimum(n_vocab, LARGEST_VOCABULARY))
    return a * log_V**2 + b * log_V + c


def fitted_tokens(n_characters: Array, n_vocab: Array) -> Array:
    """Return D as the published constants count it: H·f(V/1000), 2.7 to 3 times the tokens.

    The authors' fit takes V in thousands everywhere, inside the logarithm of f too, so that its
    D is not the number of tokens. Their constants predict their runs only with this D.

    Args:
        n_characters: (...) float, H.
        n_vocab: (...) float, V in entries.

    >>> fitted_tokens(np.array([1.0]), np.array([4096.0])).round(4)
    array([0.9945])
    """
    return n_characters * tokens_per_character(np.asarray(n_vocab) / 1e3)


def best_vocabulary_params(
    law: VocabularyLaw, theta: Array, *, n_params: float, flops: float
) -> float:
    """Find the N_v of lowest loss for a size and a budget, D = C/6(N_nv + N_v).

    Args:
        law: the form.
        theta: (6,) constants.
        n_params: N_nv, parameters without embedding and head.
        flops: C.

    Returns:
        Parameters.

    Raises:
        InputError: amounts that are not positive.
        RefusalError: no optimum between 1 and `LARGEST_PARAMS` parameters.

    >>> law, theta = VocabularyLaw(), np.array([5.5328, 875.8, 2071.0, 22214.0, 0.6707, 0.4466])
    >>> print(f"{best_vocabulary_params(law, theta, n_params=7e9, flops=7e21):.1e}")
    2.4e+08
    """
    if not (n_params > 0 and flops > 0):
        raise InputError(f"n_params and flops must be positive, found {n_params:g} and {flops:g}")
    _, _, A2, B, alpha2, beta = (float(value) for value in theta)

    low, high = 0.0, np.log(LARGEST_PARAMS)
    for _ in range(100):  # what one more parameter gains falls faster than what it costs
        middle = 0.5 * (low + high)
        N = n_params + np.exp(middle)
        gain = np.log(alpha2 * A2) - (alpha2 + 1) * middle
        cost = np.log(beta * B) - beta * np.log(flops / (6 * N)) - np.log(N)
        low, high = (middle, high) if gain > cost else (low, middle)
    if high == np.log(LARGEST_PARAMS) or low == 0.0:
        raise RefusalError(
            f"the law has no best vocabulary between 1 and {LARGEST_PARAMS:g} parameters"
        )
    return float(np.exp(0.5 * (low + high)))


def _decays(theta: Array, variables: Variables) -> tuple[Array, Array, Array]:
    """N_nv^-beta, N_v^-alpha2 and D^-beta, (..., n_runs) each."""
    alpha2, beta = theta[..., 4, None], theta[..., 5, None]
    return (
        np.exp(-beta * take_log(variables["n_params_non_embedding"])),
        np.exp(-alpha2 * take_log(variables["n_params_vocabulary"])),
        np.exp(-beta * take_log(variables["n_tokens"])),
    )
