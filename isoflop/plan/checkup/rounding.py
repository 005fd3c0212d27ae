"""Rounding: losses of few decimals, sizes of few digits.

Legend: N parameters, D tokens, C FLOPs, L loss; a rounding of step h has standard deviation h/√12.
"""

import numpy as np

from isoflop.laws.law import Array
from isoflop.plan.checkup.case import Case
from isoflop.plan.checkup.diagnosis import Diagnosis, Shift
from isoflop.plan.checkup.refit import refit, shift

FEWEST = 8
"""Runs from which few digits are no coincidence."""
FEW_DECIMALS = 2
FEW_DIGITS = 2
FEWEST_SIZES = 4
MATTERS = 0.5
"""Share of the noise from which rounding is a warning."""
TRIES = 8


def check_rounded_losses(case: Case) -> list[Diagnosis]:
    """Find losses written with two decimals or fewer."""
    if not case.has("loss") or len(case.table) < FEWEST:
        return []
    loss = case.numbers("loss")
    decimals = next((k for k in range(FEW_DECIMALS + 1) if _has_decimals(loss, k)), None)
    if decimals is None:
        return []
    size = 10.0**-decimals / np.sqrt(12)
    share = size / float(np.median(loss)) / max(case.noise, 1e-9) if case.fit is not None else 1.0
    change = None
    if case.fit is not None:
        change = _mean_shift(case, lambda rng: {"loss": loss + size * np.sqrt(12) *
                                                (rng.random(len(loss)) - 0.5)})  # fmt: skip
    return [
        Diagnosis(
            code="rounded-losses",
            severity="warning" if share > MATTERS and decimals < FEW_DECIMALS else "note",
            evidence=f"every loss has {decimals} decimals or fewer: rounding adds {size:.2g} nats "
            f"of noise, {100 * min(share, 99):.0f} % of what the runs show",
            consequence=f"two decimals are harmless, one is not; rounding once more would mean: "
            f"{change or 'unknown'}",
            remedy="write losses out in full",
            numbers={"decimals": float(decimals), "share_of_noise": float(share)},
            shift=change,
        )
    ]


def check_rounded_sizes(case: Case) -> list[Diagnosis]:
    """Find sizes written with two digits or fewer."""
    if "n_params" not in case.table or len(case.table) < FEWEST:
        return []
    N = case.numbers("n_params")
    digits = _digits(N)
    if digits is None:
        return []
    step = _step(N, digits)
    error = float(np.sqrt(np.mean((step / N / np.sqrt(12)) ** 2)))
    exact = _by_flops(case, N, step)
    change, how = None, "estimated by rounding once more"
    if case.fit is not None and exact is not None:
        how = "with N = C/6D, which `flops` and `n_tokens` still tell"
        change = shift(case, case.fit.theta, refit(case, n_params=exact))
    elif case.fit is not None:
        change = _mean_shift(case, lambda rng: {"n_params": N + step * (rng.random(len(N)) - 0.5)})
    return [
        Diagnosis(
            code="rounded-params",
            severity="warning" if digits == 1 else "note",
            evidence=f"every size has {digits} significant digit{'s' * (digits > 1)}: N is off by "
            f"{100 * error:.2g} % RMS, {100 * np.max(step / N) / 2:.2g} % at most",
            consequence=f"{change or 'sizes beside each other change places'} ({how})",
            remedy="count the parameters (isoflop count) and write them out",
            rows=case.rows(np.ones(len(N), dtype=bool)) if digits == 1 else (),
            runs=case.names(np.ones(len(N), dtype=bool)) if digits == 1 else (),
            numbers={"digits": float(digits), "rms_error": error},
            shift=change,
        )
    ]


def unrounded_sizes(case: Case) -> Array | None:
    """C/6D of every usable run where N is that, rounded to two digits or fewer; None elsewhere."""
    if "n_params" not in case.table:
        return None
    N = case.numbers("n_params")
    digits = _digits(N)
    return None if digits is None else _by_flops(case, N, _step(N, digits))


def _digits(N: Array) -> int | None:
    """Significant digits that all of several sizes have, None if more than two."""
    if len(np.unique(N)) < FEWEST_SIZES:
        return None
    return next((k for k in range(1, FEW_DIGITS + 1) if _has_digits(N, k)), None)


def _step(N: Array, digits: int) -> Array:
    return 10.0 ** (np.floor(np.log10(N)) - digits + 1)


def _has_decimals(values: Array, decimals: int) -> bool:
    return bool(np.allclose(values, np.round(values, decimals), rtol=0, atol=1e-9))


def _has_digits(values: Array, digits: int) -> bool:
    scale = _step(values, digits)
    return bool(np.allclose(values / scale, np.round(values / scale), rtol=1e-9, atol=1e-6))


def _by_flops(case: Case, N: Array, step: Array) -> Array | None:
    """C/6D where it lies within the rounding of N everywhere and is not rounded itself."""
    if not case.has("n_tokens", "flops"):
        return None
    exact = case.numbers("flops") / (6 * case.numbers("n_tokens"))
    near = np.abs(exact - N) <= 0.51 * step
    return exact if near.all() and (np.abs(exact / N - 1) > 1e-6).any() else None


def _mean_shift(case: Case, jitter) -> Shift | None:
    """A typical shift by one more rounding: the try whose exponent moves as the RMS of all do."""
    assert case.fit is not None
    rng = np.random.default_rng(0)
    tries = [refit(case, **jitter(rng)) for _ in range(TRIES)]
    moved = np.array([t[4] / (t[3] + t[4]) for t in tries])
    a = case.fit.theta[4] / (case.fit.theta[3] + case.fit.theta[4])
    typical = np.sqrt(np.mean((moved - a) ** 2))
    chosen = int(np.argmin(np.abs(np.abs(moved - a) - typical)))
    return shift(case, tries[chosen], case.fit.theta)
