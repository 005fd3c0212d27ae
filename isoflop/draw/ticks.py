"""Where a log axis gets its labels, and how they are written; no matplotlib needed."""

import math

_SI = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
_MANTISSAS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
LINEAR_BELOW = 4.0
"""An axis whose ends differ by less than this factor is labelled at equal steps."""


def log_ticks(low: float, high: float, *, most: int = 6) -> list[float]:
    """Choose round values on a log axis: at most `most`, and two or more wherever possible.

    Args:
        low: lower end of the axis, positive.
        high: upper end of the axis.
        most: how many labels there is room for.

    >>> log_ticks(1.5, 2.5)
    [1.6, 1.8, 2.0, 2.2, 2.4]
    >>> log_ticks(6e3, 4e5)
    [10000.0, 20000.0, 50000.0, 100000.0, 200000.0]
    >>> log_ticks(1e18, 1e24, most=4)
    [1e+18, 1e+20, 1e+22, 1e+24]
    """
    if high / low < LINEAR_BELOW:
        return _equal_steps(low, high, most)
    ticks: list[float] = []
    for mantissas in _MANTISSAS:
        ticks = _at_mantissas(low, high, mantissas)
        if len(ticks) <= most:
            return ticks
    decades = [math.floor(math.log10(tick) + 0.5) for tick in ticks]
    step = math.ceil(len(decades) / most)
    return [float(f"1e{d}") for d in decades if (d - decades[0]) % step == 0]


def minor_log_ticks(low: float, high: float) -> list[float]:
    """Unlabelled ticks at 1…9 of each decade, none where labels stand at equal steps."""
    if high / low < LINEAR_BELOW or high / low > 1e7:
        return []
    return _at_mantissas(low, high, tuple(range(1, 10)))


def format_amount(value: float) -> str:
    """Write a count as the field does: 25k, 1.5M, 70B, 1.4T.

    >>> [format_amount(v) for v in (64, 25e3, 1.5e6, 70e9, 1.4e12)]
    ['64', '25k', '1.5M', '70B', '1.4T']
    """
    for unit, suffix in _SI:
        if value >= unit * 0.9995:
            return f"{float(f'{value / unit:.3g}'):g}{suffix}" if value < 1e15 else f"{value:.0e}"
    return f"{float(f'{value:.3g}'):g}"


def format_power(value: float) -> str:
    r"""Write a large number as a power of ten, in mathtext.

    >>> format_power(1e18), format_power(3e18)
    ('$10^{18}$', '$3{\\times}10^{18}$')
    """
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = f"{float(f'{value / 10**exponent:.3g}'):g}"
    power = f"10^{{{exponent}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa}{{\times}}{power}$"


def format_plain(value: float) -> str:
    """Write a loss or a percentage.

    >>> format_plain(1.8000000000000003)
    '1.8'
    """
    return f"{float(f'{value:.6g}'):g}"


def format_alike(values: list[float]) -> list[str]:
    """Write values with as many decimals as the one that needs most.

    >>> format_alike([1.8, 2.0, 2.25])
    ['1.80', '2.00', '2.25']
    """
    decimals = max((len(format_plain(v).partition(".")[2]) for v in values), default=0)
    return [f"{value:.{decimals}f}" for value in values]


def spread_labels(wanted: list[float], gap: float) -> list[float]:
    """Move positions apart until neighbours are `gap` from each other, keeping their order.

    >>> spread_labels([1.0, 1.1, 5.0], 1.0)
    [0.55, 1.55, 5.0]
    """
    order = sorted(range(len(wanted)), key=lambda k: wanted[k])
    clusters: list[tuple[float, int]] = []
    for k in order:
        clusters.append((wanted[k], 1))
        while len(clusters) > 1 and _touch(clusters[-2], clusters[-1], gap):
            (first, n), (second, m) = clusters[-2], clusters[-1]
            clusters[-2:] = [((first * n + second * m) / (n + m), n + m)]
    places = [
        round(centre + gap * (i - (size - 1) / 2), 12)
        for centre, size in clusters
        for i in range(size)
    ]
    placed = [0.0] * len(wanted)
    for k, place in zip(order, places, strict=True):
        placed[k] = place
    return placed


def _touch(below: tuple[float, int], above: tuple[float, int], gap: float) -> bool:
    distance = above[0] - below[0]
    return distance < gap * (below[1] + above[1]) / 2


def _at_mantissas(low: float, high: float, mantissas: tuple[float, ...]) -> list[float]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    ticks = [float(f"{m}e{d}") for d in range(first, last + 1) for m in mantissas]
    return [tick for tick in ticks if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]


def _equal_steps(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most, 2)
    scale = 10 ** math.floor(math.log10(rough))
    for factor in (1, 2, 2.5, 5, 10, 20):
        step = factor * scale
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            break
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]
