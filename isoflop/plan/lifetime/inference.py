"""The cheapest model of a quality, counting what it will serve as well as its training.

Legend: N parameters, D tokens of training, T tokens served, L loss; FLOPs 6ND + 2NT.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from isoflop.base.errors import InputError, RefusalError
from isoflop.base.estimate import Estimate
from isoflop.laws.law import Array
from isoflop.plan.constants import Constants, all_notes, estimates_from, reach_note, take_constants
from isoflop.plan.lifetime.isoloss import SIZES_SEARCHED, best_tokens, tokens_for_loss
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.plan.possible import check_positive
from isoflop.plan.rows import minimise_rows, predict_rows

LAW = "sardana-2024"


@dataclass(frozen=True)
class InferencePlan:
    """The model of least FLOPs over its life, and the one it replaces.

    Args:
        n_tokens_served: T.
        loss: quality asked for.
        n_params: N of the cheapest.
        n_tokens: D of the cheapest.
        flops_training: 6ND.
        flops_inference: 2NT.
        reference_n_params: size of the model replaced; None where a loss was given.
        reference_n_tokens: its tokens.
        params_ratio: N over the reference's.
        tokens_ratio: D over the reference's.
        saved: share of the reference's FLOPs, training and inference, that is saved.
        notes: what the numbers rest on.
    """

    n_tokens_served: float
    loss: Estimate
    n_params: Estimate
    n_tokens: Estimate
    flops_training: Estimate
    flops_inference: Estimate
    reference_n_params: float | None
    reference_n_tokens: Estimate | None
    params_ratio: Estimate | None
    tokens_ratio: Estimate | None
    saved: Estimate | None
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        return {
            name: value.to_dict()
            if isinstance(value, Estimate)
            else list(value)
            if isinstance(value, tuple)
            else value
            for name, value in vars(self).items()
        }


def plan_inference(
    n_tokens_served: float,
    *,
    n_params: float | None = None,
    n_tokens: float | None = None,
    loss: float | None = None,
    law: AnyLaw | str = LAW,
    price_ratio: float = 1.0,
) -> InferencePlan:
    """Minimise 6ND + price_ratio·2NT over models of one loss (Sardana et al. 2024).

    Args:
        n_tokens_served: T, tokens of inference over the model's life, read and written.
        n_params: size of the model whose quality is asked for.
        n_tokens: its tokens; by default those on which its size is compute-optimal.
        loss: the quality itself, instead of a model, nats per token.
        law: a fit of n_params and n_tokens, a published law, or the name or file of one.
        price_ratio: price of a FLOP served over one trained: MFU_training/MFU_inference where
            both run on the same hardware.

    Raises:
        InputError: an amount that is not positive, neither or both of model and loss.
        RefusalError: a loss that no size reaches.

    >>> plan = plan_inference(1e11, n_params=7e9)
    >>> print(plan.n_params, plan.tokens_ratio)
    6.00e9 1.18
    """
    amounts = {"n_params": n_params, "n_tokens": n_tokens, "loss": loss}
    check_positive(n_tokens_served=n_tokens_served, price_ratio=price_ratio, **amounts)
    if (n_params is None) == (loss is None) or (n_tokens is not None and n_params is None):
        raise InputError("give the model (n_params, perhaps n_tokens) or its loss, and not both")
    constants = take_constants(law, reads="n_params,n_tokens")
    _require_above_floor(constants, loss)
    tokens_of = _reference_tokens(constants, n_params, n_tokens)
    weight = price_ratio * n_tokens_served

    def compute(rows: Array) -> dict[str, Array]:
        reference = tokens_of(rows) if tokens_of else None
        target = _target(constants, rows, n_params, reference, loss)
        N = minimise_rows(lambda N: _cost(constants, rows, N, target, weight), *SIZES_SEARCHED)
        D = tokens_for_loss(constants.law, rows, N, target)
        found = {"loss": target, "n_params": N, "n_tokens": D, "flops_training": 6 * N * D}
        found["flops_inference"] = 2 * N * n_tokens_served
        if reference is not None and n_params is not None:
            found["reference_n_tokens"] = reference
            found |= {"params_ratio": N / n_params, "tokens_ratio": D / reference}
            before = n_params * (6 * reference + 2 * weight)
            found["saved"] = 1 - N * (6 * D + 2 * weight) / before
        return found

    found = estimates_from(compute, constants, linear=("saved",))
    if not np.isfinite(found["n_params"].value):
        raise RefusalError(
            f"no size from {SIZES_SEARCHED[0]:g} to {SIZES_SEARCHED[1]:g} parameters is the "
            f"cheapest of a loss of {found['loss']} under {constants.name}"
        )
    at = {"n_params": found["n_params"].value, "n_tokens": found["n_tokens"].value}
    absent = dict.fromkeys(("reference_n_tokens", "params_ratio", "tokens_ratio", "saved"))
    return InferencePlan(
        n_tokens_served=n_tokens_served,
        reference_n_params=n_params,
        notes=(*all_notes(constants), *reach_note(constants, at)),
        **{**absent, **found},  # pyright: ignore[reportArgumentType]
    )


def _require_above_floor(constants: Constants, loss: float | None) -> None:
    """Refuse a loss that no model reaches on any data: the law's irreducible loss or less."""
    names = constants.law.parameter_names
    if loss is None or "E" not in names:
        return
    floor = float(constants.theta[names.index("E")])
    if loss <= floor:
        raise RefusalError(
            f"a loss of {loss:g} is below what {constants.name} reaches at any size and on any "
            f"data, E = {floor:.4g} {constants.loss_unit}; ask for more than that"
        )


def _reference_tokens(
    constants: Constants, n_params: float | None, n_tokens: float | None
) -> Callable[[Array], Array] | None:
    """Tokens of the model whose quality is asked for, for each row."""
    if n_params is None:
        return None
    if n_tokens is not None:
        return lambda rows: np.full(len(rows), n_tokens)
    if not {"G", "a"} <= set(constants.law.derive(constants.theta)):
        raise InputError(
            f"{constants.name} has no closed form for the tokens of {n_params:g} parameters; give "
            "n_tokens"
        )
    return lambda rows: best_tokens(constants.law, rows, n_params)


def _target(
    constants: Constants,
    rows: Array,
    n_params: float | None,
    reference: Array | None,
    loss: float | None,
) -> Array:
    """Loss to reach, for each row."""
    if n_params is None or reference is None:
        return np.full(len(rows), loss, dtype=np.float64)
    return predict_rows(constants.law, rows, n_params=n_params, n_tokens=reference)


def _cost(constants: Constants, rows: Array, N: Array, loss: Array, weight: float) -> Array:
    """FLOPs of a life, as training FLOPs; infinite where the loss is never reached."""
    D = tokens_for_loss(constants.law, rows, N, loss)
    return np.where(np.isfinite(D), N * (6 * D + 2 * weight), np.inf)
