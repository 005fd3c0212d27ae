"""The card of an automatic fit: what it rests on and where the curve goes."""

import numpy as np

from isoflop.base.estimate import shorten
from isoflop.fitting.automatic.automatic import AutomaticFit

SHOWN = 0.01
"""Forms of a smaller weight are left out of the card."""
WHERE = {"loss_end": "at the end", "loss_x2": "at 2 times the end", "loss_x10": "at 10 times"}
"""Where on the curve, for each name of the JSON document."""


def automatic_card(fit: AutomaticFit) -> str:
    """Write the card of an automatic fit as plain text."""
    end = fit.curve.end
    first, last = (shorten(float(np.exp(u))) for u in (end.u[0], end.u[-1]))
    source = fit.data.source if fit.data else "arrays"
    weights = "  ".join(
        f"{name} {100 * weight:.0f} %" for name, weight in fit.weights.items() if weight >= SHOWN
    )
    lines = [
        f"auto: the loss goes on with its slope in log {fit.over}, which fades and wanders",
        f"  {fit.n_runs} runs from {source}, {fit.curve.n_points} distinct",
        f"  the end of the curve: {len(end.u)} points at {fit.over} {first} … {last}",
        "",
        f"at the end ({100 * fit.level:.0f} % intervals)",
        *(f"  {name:<18} {estimate}" for name, estimate in fit.params.items()),
        f"losses of one record ({100 * fit.level:.0f} % intervals)",
        *(f"  {WHERE[name]:<18} {estimate}" for name, estimate in fit.derived.items()),
        f"weights of the forms averaged  {weights}",
    ]
    for note in fit.data.notes if fit.data else ():
        lines.append(f"note: {note}")
    for finding in fit.findings:
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        lines.append(f"    {finding.consequence}; {finding.remedy}")
    return "\n".join(lines)
