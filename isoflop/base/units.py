"""Units: PF-days, nats and bits; losses are nats per token unless a field says otherwise."""

import math

PF_DAY = 8.64e19
"""FLOPs in one petaFLOP/s-day: 1e15 · 24 · 3600 (Kaplan et al. 2020)."""

LOSS_UNITS = ("nats/token", "bits/token", "nats/byte", "bits/byte")
"""Units a loss column may declare."""


def to_pf_days(flops: float) -> float:
    """Convert FLOPs to PF-days, for display.

    >>> to_pf_days(8.64e19)
    1.0
    """
    return flops / PF_DAY


def from_pf_days(pf_days: float) -> float:
    """Convert PF-days to FLOPs.

    >>> f"{from_pf_days(3.64e3):.3g}"
    '3.14e+23'
    """
    return pf_days * PF_DAY


def to_bits(nats: float) -> float:
    """Convert nats to bits.

    >>> round(to_bits(1.7) / 4.3, 3)  # 1.7 nats/token at 4.3 characters a token
    0.57
    """
    return nats / math.log(2.0)
