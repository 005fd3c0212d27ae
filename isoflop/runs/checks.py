"""Checks of a run table before a fit: what is missing, mixed, repeated or cannot be."""

import numpy as np

from isoflop.base.errors import RunTableError
from isoflop.runs.finding import Finding as Finding
from isoflop.runs.table import FINISHED, RunTable
from isoflop.runs.unit_checks import check_units, name_rows


def keep_usable(
    table: RunTable, columns: tuple[str, ...], *, signed: tuple[str, ...] = ()
) -> tuple[RunTable, list[Finding]]:
    """Keep the finished runs and insist that each records the columns a law needs.

    Args:
        table: the runs.
        columns: columns needed, `loss` among them.
        signed: those that may be zero or negative, such as an accuracy.

    Returns:
        The table of usable runs, and a finding for what was left out.

    Raises:
        RunTableError: a column is absent, a usable row lacks a value, or nothing is usable.
    """
    for name in columns:
        if name not in table:
            raise RunTableError(how_to_get(name, table), source=table.source)
    findings: list[Finding] = []
    if "status" in table:
        done = np.array([status.lower() in FINISHED for status in table.text("status")])
        if not done.all():
            left_out = [name for name, ok in zip(table.names(), done, strict=True) if not ok]
            findings.append(_left_out(left_out, len(table)))
            table = table.select(done, note=f"{len(left_out)} unfinished runs left out")
    if not len(table):
        raise RunTableError("no finished run in the table", source=table.source)
    for name in columns:
        missing = np.isnan(table.numbers(name))
        if missing.any():
            raise RunTableError(
                "no value; fill it in, drop the row, or mark its status",
                source=table.source,
                row=int(table.rows[missing][0]),
                field=name,
            )
        zero = table.numbers(name) <= 0
        if zero.any() and name not in signed:
            raise RunTableError(
                f"found {table.numbers(name)[zero][0]:g}; a law needs a positive number",
                source=table.source,
                row=int(table.rows[zero][0]),
                field=name,
            )
    return table, findings + check_units(table, columns)


def check_comparable(table: RunTable) -> list[Finding]:
    """Refuse tables whose losses cannot be compared.

    Raises:
        RunTableError: more than one loss unit, tokenizer or evaluation set.
    """
    for name, why in (
        ("loss_unit", "losses in different units"),
        ("eval_set", "losses on different held-out sets"),
        ("tokenizer", "losses per different tokens"),
    ):
        values = np.array(table.text(name)) if name in table else np.array([""])
        found = sorted(set(values.tolist()))
        if len(found) > 1:
            where = (f"{v or 'not recorded'} in {name_rows(table.rows[values == v], 3)}"
                     for v in found[:4])  # fmt: skip
            raise RunTableError(
                f"{why} ({', '.join(where)}) cannot be fitted together; select one",
                source=table.source,
                field=name,
            )
    return []


def check_duplicates(table: RunTable, columns: tuple[str, ...]) -> list[Finding]:
    """Find rows that repeat another in every column the fit uses."""
    stacked = np.stack([table.numbers(name) for name in columns], axis=1)
    _, first, counts = np.unique(stacked, axis=0, return_index=True, return_counts=True)
    repeated = int(len(stacked) - len(first))
    if not repeated:
        return []
    names = np.array(table.names())[first[counts > 1]]
    copies = np.setdiff1d(np.arange(len(stacked)), first)
    return [
        Finding(
            code="duplicate-runs",
            severity="warning",
            evidence=f"{repeated} of {len(stacked)} rows repeat another exactly "
            f"({name_rows(table.rows[copies])})",
            consequence="repeated rows count twice and make every interval too narrow",
            remedy="drop the copies, or record the column that tells them apart",
            runs=tuple(str(name) for name in names[:20]),
        )
    ]


def check_mixed(table: RunTable, variables: tuple[str, ...]) -> list[Finding]:
    """Find runs of several corpora or families, and repeated data under a one-epoch law."""
    findings = []
    for name in ("dataset", "family", "schedule"):
        values = sorted(set(table.text(name)) - {""}) if name in table else []
        if len(values) > 1:
            shown = ", ".join(values[:3]) + (", …" if len(values) > 3 else "")
            findings.append(
                Finding(
                    code=f"mixed-{name}",
                    severity="warning",
                    evidence=f"{len(values)} values of `{name}` ({shown}) are fitted as one",
                    consequence="what differs between them is taken for an effect of scale",
                    remedy=f"fit one `{name}` at a time, or say why they may be pooled",
                )
            )
    if "n_tokens_unique" in table and "n_tokens_unique" not in variables and "n_tokens" in table:
        epochs = table.numbers("n_tokens") / table.numbers("n_tokens_unique")
        repeated = int(np.sum(epochs > 1.05))
        if repeated:
            findings.append(
                Finding(
                    code="repeated-data",
                    severity="warning",
                    evidence=f"{repeated} of {len(table)} runs saw their data up to "
                    f"{np.nanmax(epochs):.3g} times",
                    consequence="a law of fresh tokens is optimistic about repeated ones",
                    remedy="fit --law repeated, or drop the runs with more than one epoch",
                )
            )
    return findings


def _left_out(names: list[str], n_runs: int) -> Finding:
    return Finding(
        code="unfinished-runs",
        severity="note",
        evidence=f"{len(names)} of {n_runs} runs are not marked finished",
        consequence="they take no part in the fit",
        remedy="finish them, or set their status if they are finished",
        runs=tuple(names),
    )


def how_to_get(name: str, table: RunTable) -> str:
    """Say that a column is absent, what was found instead, and how to get it."""
    names = [name if len(name) <= 30 else f"{name[:30]}…" for name in table.columns]
    columns = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    hint = f"name it with --columns {name}=COLUMN"
    if name == "n_tokens" and "flops" in table:
        hint = "record it, or ask for D = C/6N with --derive n_tokens"
    if name == "flops" and "n_tokens" in table:
        hint = "record it, or ask for C = 6ND with --derive flops"
    return f"column `{name}` is needed and absent (found: {columns}); {hint}"
