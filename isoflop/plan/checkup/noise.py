"""Noise: whether runs were repeated, and whether a surface describes them at all."""

import numpy as np

from isoflop.plan.checkup.case import ROUGH, Case
from isoflop.plan.checkup.cells import group_cells
from isoflop.plan.checkup.diagnosis import Diagnosis

FEWEST_REPEATS = 2
"""Repeats, runs beyond the first of a cell, from which noise is known to a factor of two."""


def check_surface(case: Case) -> list[Diagnosis]:
    """Find runs that no Chinchilla surface describes."""
    if case.fit is None or case.noise < ROUGH:
        return []
    return [
        Diagnosis(
            code="surface-does-not-fit",
            severity="warning",
            evidence=f"residuals of {100 * case.noise:.2g} % about the best Chinchilla surface, "
            "where ladders of one recipe have .3 to .8 %",
            consequence="something else than size and data moves these losses, or the law is "
            "wrong; the prices given here are rough",
            remedy="look for what differs between the runs (recipe, schedule, repeats, sizes "
            "below a million); compare laws (isoflop compare)",
            numbers={"rms": case.noise},
        )
    ]


def check_seeds(case: Case) -> list[Diagnosis]:
    """Find tables in which no run was repeated, so that noise and misfit cannot be told apart."""
    if not case.has("n_params", "n_tokens", "loss"):
        return []
    log_loss = np.log(case.numbers("loss"))
    cells = [log_loss[cell] for cell in group_cells(case.table) if len(set(log_loss[cell])) > 1]
    repeats = sum(len(cell) - 1 for cell in cells)
    if repeats >= FEWEST_REPEATS:
        return []
    residual = f"residuals of {100 * case.noise:.2g} %" if case.fit is not None else "residuals"
    return [
        Diagnosis(
            code="noise-unknown",
            severity="note",
            evidence=f"{repeats} of {len(log_loss)} runs repeat another with a new seed"
            if repeats
            else f"none of {len(log_loss)} runs repeats another with a new seed",
            consequence=f"{residual} may be noise or a wrong law: intervals take them for noise, "
            "and lack of fit cannot be tested",
            remedy="repeat three runs, at the smallest, a middle and the largest budget, with two "
            "more seeds each",
            numbers={"n_repeats": float(repeats)},
        )
    ]
