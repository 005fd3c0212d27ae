"""How a fit was searched for, in words, and the fingerprint of the code that did it."""

import hashlib
from functools import lru_cache
from pathlib import Path

from isoflop.fitting.solve.descent import GRADIENT_TOLERANCE, MAX_ITERATIONS
from isoflop.laws.law import AbstractLaw

FOLDERS = ("base", "accounting", "runs", "laws", "fitting")
"""Folders whose code a fit's numbers come from."""


def search_procedure(law: AbstractLaw) -> dict[str, str]:
    """State optimiser, bounds, tolerance and selection of a fit of all runs at once."""
    projected = f"; {', '.join(law.linear)} projected out" if law.linear else ""
    bounds = (f"{one.name} in [{one.low:g}, {one.high:g}]" for one in law.parameters)
    return {
        "optimiser": f"Levenberg–Marquardt, exact gradients{projected}",
        "bounds": "; ".join(bounds),
        "tolerance": (
            f"projected gradient at most {GRADIENT_TOLERANCE:g} of curvature and objective; "
            f"{MAX_ITERATIONS} steps at most"
        ),
        "selection": "the start that ended lowest",
        "code": code_sha256(),
    }


def closed_procedure() -> dict[str, str]:
    """State the same of a frontier, whose lines and parabolas are solved for at once."""
    return {
        "optimiser": "closed form, least squares of log N* and log D* on log C",
        "bounds": "none: closed form",
        "tolerance": "none: closed form",
        "selection": "one solution: closed form",
        "code": code_sha256(),
    }


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """Fingerprint the code that fits: SHA-256 of its files, names included.

    >>> len(code_sha256())
    64
    """
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for name in FOLDERS for path in (root / name).rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()
