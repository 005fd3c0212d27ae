"""Mixing: losses that cannot be compared, several recipes as one, data read more than once.

Legend: L loss, D tokens processed, U distinct tokens, R = D/U − 1 repeats, R_D_star their decay.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.laws.published.muennighoff_2023 import DECAYS
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.cells import is_per_token, kinds_of
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.refit import estimate_effect, refit, shift

CANNOT = (
    ("tokenizer", "mixed-tokenizers", "losses per different tokens"),
    ("n_vocab", "mixed-tokenizers", "losses per tokens of different vocabularies"),
    ("loss_unit", "mixed-loss-units", "losses in different units"),
    ("eval_set", "mixed-eval-sets", "losses on different held-out sets"),
)
"""Columns of which a law can stand one value: (column, code, what differs)."""
SHOULD_NOT = (
    ("dataset", "mixed-datasets", "several corpora"),
    ("family", "mixed-families", "several recipes"),
    ("schedule", "mixed-schedules", "several schedules"),
)
"""Columns of which a law should see one value."""
ONE_EPOCH = 1.05
"""Epochs up to which data count as fresh."""


def check_comparable_losses(case: Case) -> list[Diagnosis]:
    """Find more than one tokenizer, loss unit or evaluation set."""
    found: list[Diagnosis] = []
    for column, code, what in CANNOT:
        if column == "n_vocab" and (found or not is_per_token(case.table)):
            continue
        remedy = "fit one at a time, or convert all to bits per byte of one held-out set"
        found += _mixed(case, column, code, what, remedy=remedy, severe=True)
    return found


def check_one_recipe(case: Case) -> list[Diagnosis]:
    """Find several corpora, families or schedules under one law."""
    return [
        found
        for column, code, what in SHOULD_NOT
        for found in _mixed(
            case,
            column,
            code,
            what,
            remedy=f"fit one `{column}` at a time (isoflop race holds two against each other)",
            severe=False,
        )
    ]


def check_repeats(case: Case) -> list[Diagnosis]:
    """Find repeated data under a law that takes every token for a fresh one."""
    if not case.has("n_tokens", "n_tokens_unique"):
        return []
    D, U = case.numbers("n_tokens"), case.numbers("n_tokens_unique")
    epochs = D / np.minimum(U, D)
    repeated = epochs > ONE_EPOCH
    if not repeated.any():
        return []
    worth = fresh_tokens(D, np.minimum(U, D))
    numbers = {"most_epochs": float(epochs.max()), "n_repeated": float(repeated.sum())}
    change, optimism = None, ""
    if case.fit is not None:
        corrected = refit(case, n_tokens=worth)
        change = shift(case, case.fit.theta, corrected)
        most = int(np.argmax(epochs))
        B, beta = corrected[2], corrected[4]
        numbers["optimism"] = float(B * worth[most] ** -beta - B * D[most] ** -beta)
        optimism = f"; a one-epoch law is {numbers['optimism']:.3f} nats too optimistic there"
    most = int(np.argmax(epochs))
    return [
        Diagnosis(
            code="repeated-data",
            severity="warning",
            evidence=f"{repeated.sum()} of {len(epochs)} runs saw their data more than once, up to "
            f"{epochs.max():.3g} times, where they are worth {(worth / U)[most]:.3g} epochs of "
            f"fresh data (R* = {DECAYS['R_D_star']:.2f}, Muennighoff 2023){optimism}",
            consequence=f"a law of fresh tokens bends to repeats: {change or 'the exponent moves'}",
            remedy="fit --law repeated, or drop the runs with more than one epoch",
            rows=case.rows(repeated),
            runs=case.names(repeated),
            numbers=numbers,
            shift=change,
        )
    ]


def fresh_tokens(n_tokens: Array, unique: Array) -> Array:
    """Fresh tokens that repeats are worth, U + U·R*·(1 − exp(−R/R*)); Muennighoff 2023, eq. 5.

    >>> fresh_tokens(np.array([4e9, 1.6e10, 4e10]), np.full(3, 1e9)).round(-7) / 1e9
    array([ 3.73, 10.58, 15.17])
    """
    star = DECAYS["R_D_star"]
    return unique + unique * star * (1 - np.exp(-(n_tokens / unique - 1) / star))


def _mixed(
    case: Case, column: str, code: str, what: str, *, remedy: str, severe: bool
) -> list[Diagnosis]:
    values = np.array(kinds_of(case.table, column))
    kinds, counts = np.unique(values, return_counts=True)
    if len(kinds) < 2:
        return []
    main = kinds[np.argmax(counts)]
    others = values != main
    order = np.argsort(-counts)
    shown = ", ".join(f"{kinds[k] or 'not recorded'} in {counts[k]}" for k in order[:4])
    more = f" and {len(kinds) - 4} more" if len(kinds) > 4 else ""
    gap, change = _gap(case, others)
    return [
        Diagnosis(
            code=code,
            severity="error" if severe else "warning",
            evidence=f"{what}: {shown} runs{more}{gap}",
            consequence="what differs between them is taken for an effect of scale"
            + (f": {change}" if change else ""),
            remedy=remedy,
            rows=case.rows(others),
            runs=case.names(others),
            numbers={"kinds": float(len(kinds)), "n_others": float(others.sum())},
            shift=change,
        )
    ]


def _gap(case: Case, others: Array) -> tuple[str, Shift | None]:
    """How far the minority lies off the majority's law, and what that does to the answer."""
    if case.fit is None:
        return "", None
    shape = np.asarray(others, dtype=np.float64)
    everyone = np.ones(len(shape), dtype=bool)
    whole = refit(case, keep=everyone)
    effect = estimate_effect(case, shape, keep=everyone)
    text = f"; beside one surface they lie {100 * np.expm1(effect.size):+.2g} % off the others"
    return text, shift(case, whole, effect.theta)
