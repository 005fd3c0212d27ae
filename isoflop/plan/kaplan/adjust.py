"""Runs as they would have been far from the critical batch: S_min, E_min and C_min.

Legend: L loss reached, B tokens a step, S steps, E = B·S tokens, C FLOPs; S_min = S/(1 + B_crit/B)
at B far above B_crit(L), E_min = E/(1 + B/B_crit) and C_min = C/(1 + B/B_crit) far below (Kaplan
et al. 2020, eq. 5.4 and 5.5). Adjusted runs give L(N, S_min), L(C_min) and N_opt(C_min).
"""

import numpy as np

from isoflop.base.errors import InputError
from isoflop.base.estimate import shorten
from isoflop.laws.critical_batch import CriticalBatchLaw, adjust_steps, adjust_tokens
from isoflop.plan.constants import reach_note, take_constants
from isoflop.plan.optimum.choose import AnyLaw
from isoflop.runs.table import RunTable

TAKEN = {"steps": "steps_taken", "n_tokens": "n_tokens_taken", "flops": "flops_taken"}
"""{adjusted column: where what was really spent is kept}"""


def adjust_runs(
    table: RunTable, critical_law: AnyLaw | str = "kaplan-2020-b-crit-l"
) -> tuple[RunTable, tuple[str, ...]]:
    """Turn steps into S_min, tokens into E_min and FLOPs into C_min, run by run.

    `steps`, `n_tokens` and `flops` are replaced where they are recorded, steps found from tokens
    where they are not; what was spent moves to `steps_taken`, `n_tokens_taken`, `flops_taken`.
    Fit the result: `isoflop fit adjusted.csv --law kaplan-ns`, or `--law power` over flops.

    Args:
        table: `loss`, `batch_tokens`, and `steps` or `n_tokens`.
        critical_law: a `critical-batch` fit (`isoflop batch fit`), a published one, or the name
            or file of one. Its best constants are used; their own uncertainty is not carried.

    Returns:
        The adjusted table, and notes on where the law is taken beyond its runs.

    Raises:
        InputError: a column is missing, or the law is of another form or of another unit of loss.

    >>> rows = [{"n_params": 1e8, "n_tokens": 1e9, "batch_tokens": 5e5, "loss": 3.5}]
    >>> adjusted, _ = adjust_runs(RunTable.from_records(rows))
    >>> adjusted.numbers("steps").round(), adjusted.numbers("n_tokens_taken")
    (array([963.]), array([1.e+09]))
    """
    law = take_constants(critical_law, CriticalBatchLaw)
    for name in ("loss", "batch_tokens"):
        if name not in table:
            raise InputError(f"{table.source}: to adjust runs a column `{name}` is needed")
    _check_unit(table, law.loss_unit)
    loss, batch = table.numbers("loss"), table.numbers("batch_tokens")
    critical = law.law.predict(law.theta, {"loss": loss})
    amounts = {name: table.numbers(name) for name in TAKEN if name in table}
    if "steps" not in amounts:
        if "n_tokens" not in amounts:
            raise InputError(f"{table.source}: to adjust runs, `steps` or `n_tokens` is needed")
        amounts["steps"] = amounts["n_tokens"] / batch
    adjusted = table
    for name, spent in amounts.items():
        change = adjust_steps if name == "steps" else adjust_tokens
        adjusted = adjusted.with_column(name, change(spent, batch, critical))
        adjusted = adjusted.with_column(TAKEN[name], spent)
    note = f"steps, tokens and FLOPs adjusted by {law.name}: S_min, E_min, C_min (Kaplan 2020)"
    adjusted = adjusted.with_column("critical_batch", critical, note=note)
    finite = loss[np.isfinite(loss)]
    ends = {shorten(x): float(x) for x in (finite.min(), finite.max())} if len(finite) else {}
    notes = [line for x in ends.values() for line in reach_note(law, {"loss": x})]
    return adjusted, tuple(dict.fromkeys((*law.notes, *notes)))


def _check_unit(table: RunTable, unit: str) -> None:
    found = sorted(set(table.text("loss_unit")) - {""}) if "loss_unit" in table else []
    if found and unit and found != [unit]:
        raise InputError(
            f"{table.source}: losses are in {', '.join(found)}, the critical batch's in {unit}; "
            "use a law fitted to losses of the same unit"
        )
