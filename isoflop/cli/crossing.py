"""`isoflop crossing`: where the compute and the data law contradict each other."""

from pathlib import Path

import click

from isoflop.base.estimate import shorten
from isoflop.base.units import to_pf_days
from isoflop.cli.amount import AMOUNT
from isoflop.cli.figure_option import check_figure, figure_option, save_drawing
from isoflop.cli.output import format_table, json_option, show
from isoflop.plan.contradiction.crossing import Crossing, find_crossing
from isoflop.plan.contradiction.crossing_notes import UNREACHABLE
from isoflop.plan.contradiction.recomputed import (
    PAPERS_OWN,
    RecomputedCrossing,
    nearest_to_paper,
    recompute_crossings,
)
from isoflop.plan.contradiction.rules import tokens_per_param_rule
from isoflop.plan.contradiction.spread import DRAWS, CrossingSpread
from isoflop.plan.contradiction.trend import Source, Trend

LAW = "A published law, or a file written by fit -o."
KAPLAN = ("kaplan-2020-l-cmin", "kaplan-2020-l-d", "kaplan-2020-d-opt")
RULE = "D(C). Also the file of a frontier, or of a joint fit: its optimum."
HALF = "Which published constants may lie half a unit of the last digit off."
ROUNDED = click.Choice(("constants", "exponents", "ignored"))
ERRORS = {"compute_error": "compute_law", "data_error": "data_law", "tokens_error": "tokens_rule"}


@click.command("crossing")
@click.option("--compute-law", default=KAPLAN[0], show_default=True, help=f"L(C). {LAW}")
@click.option("--data-law", default=KAPLAN[1], show_default=True, help=f"L(D). {LAW}")
@click.option("--tokens-rule", default=KAPLAN[2], show_default=True, help=RULE)
@click.option("--params-rule", help="N(C). As --tokens-rule; its file's own, or kaplan-2020-n-opt.")
@click.option("--tokens-per-param", type=AMOUNT, help="D/N under C = 6ND, for both rules.")
@click.option("--compute-error", type=float, help="Standard error of the exponent of L(C).")
@click.option("--data-error", type=float, help="Standard error of the exponent of L(D).")
@click.option("--tokens-error", type=float, help="Standard error of the exponent of D(C).")
@click.option("--rounding", type=ROUNDED, default="constants", show_default=True, help=HALF)
@click.option("--draws", type=click.IntRange(2), default=DRAWS, show_default=True)
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.9, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--table", is_flag=True, help="Every set of constants in print, recomputed.")
@figure_option
@json_option
def command(
    compute_law: str,
    data_law: str,
    tokens_rule: str,
    params_rule: str | None,
    tokens_per_param: float | None,
    rounding: str,
    draws: int,
    level: float,
    seed: int,
    table: bool,
    figure: Path | None,
    as_json: bool,
    **errors: float | None,
) -> None:
    """Find the compute beyond which L(C) promises less loss than L(D(C)) allows.

    Intervals hold the draws of fits, errors given for exponents, and what the rounding of
    published constants leaves open.

    \b
    Example:
      isoflop crossing
      isoflop crossing --compute-error 0.002 --data-error 0.003
      isoflop crossing --table
    \b
    Python:
      isoflop.find_crossing("kaplan-2020-l-cmin", "kaplan-2020-l-d")
    """
    given = {ERRORS[name]: error for name, error in errors.items() if error is not None}
    spread = CrossingSpread(given, rounding, draws, level, seed)  # type: ignore[arg-type]
    if table:
        _require_alone(figure, params_rule, tokens_per_param, compute_law, data_law, tokens_rule)
        rows = recompute_crossings(spread)
        document = {"rows": [row.to_dict() for row in rows], "kaplan_6_3": list(PAPERS_OWN)}
        show(document, table_text(rows), as_json=as_json)
        return
    check_figure(figure, compute_law, data_law, tokens_rule, params_rule)
    by_tokens, by_params = _rules(tokens_rule, params_rule, tokens_per_param)
    found = find_crossing(
        compute_law, data_law, tokens_rule=by_tokens, params_rule=by_params, spread=spread
    )
    if figure:
        from isoflop.draw.contradiction import contradiction_figure, draw_contradiction

        save_drawing(figure, contradiction_figure(found), draw_contradiction)
    show(found.to_dict(), crossing_text(found), as_json=as_json)


def _require_alone(*options: object) -> None:
    """Refuse laws of one's own beside the table, which has its own."""
    if any(option is not None and option not in KAPLAN for option in options):
        raise click.UsageError("--table has its own laws and no figure; leave those options out")


def _rules(
    tokens_rule: str, params_rule: str | None, ratio: float | None
) -> tuple[Source | Trend, Source | Trend | None]:
    if ratio is None:
        return tokens_rule, params_rule
    if params_rule is not None or tokens_rule not in KAPLAN:
        raise click.UsageError("--tokens-per-param is both rules; leave the others out")
    return (
        tokens_per_param_rule(ratio, "tokens_rule"),
        tokens_per_param_rule(ratio, "params_rule"),
    )


def crossing_text(found: Crossing) -> str:
    """Write the crossing on one screen."""
    interval = "" if found.flops.low is None else f", {100 * found.flops.level:.0f} % intervals"
    first = [f"{UNREACHABLE}; what follows is arithmetic"] if UNREACHABLE in found.notes else []
    lines = [
        *first,
        f"C*  {found.flops} FLOPs = {found.pf_days} PF-days{interval}",
        f"N*  {found.n_params} parameters",
        f"D*  {found.n_tokens} tokens",
        f"L*  {found.loss} {found.loss_unit}",
    ]
    if found.first_epoch:
        days = [
            None if end is None else to_pf_days(end)
            for end in (found.first_epoch.value, found.first_epoch.low, found.first_epoch.high)
        ]
        span = "" if days[1] is None or days[2] is None else (
            f" [{shorten(days[1])}, {shorten(days[2])}]"
        )  # fmt: skip
        lines.append(
            f"one epoch stops 10 % above L(D) up to {shorten(days[0] or 0.0)}{span} PF-days"
        )
    lines.append("constants used")
    for role, law in found.constants.items():
        constants = ", ".join(
            f"{key} = {value:.6g} {law.printed_units.get(key, '')}".rstrip()
            for key, value in law.printed.items()
        )
        lines.append(f"  {role:<12} {law.name}: {law.form}, {constants} ({law.source})")
        lines.append(f"  {'':<12} uncertain: {found.assumed[role]}")
    return "\n".join([*lines, *_moved(found)])


def _moved(found: Crossing) -> list[str]:
    """What each source alone does to C*, then each exponent, then the notes."""
    lines = ["C* in PF-days if only this were uncertain"] if found.parts else []
    for part in found.parts:
        low, high = (to_pf_days(end) for end in (part.flops.low or 0.0, part.flops.high or 0.0))
        lines.append(
            f"  {part.role:<12} {part.constant} ({part.reason}): {shorten(low)} to {shorten(high)}"
        )
    lines.append("C* if an exponent were a little different")
    lines += [
        f"  {s.exponent} {100 * s.change:+.0f} %: "
        + (f"{shorten(to_pf_days(s.flops))} PF-days" if s.flops else "no crossing")
        for s in found.sensitivity
    ]
    return [*lines, *(f"note: {note}" for note in found.notes if note != UNREACHABLE)]


def table_text(rows: tuple[RecomputedCrossing, ...]) -> str:
    """Write printed / recomputed, set by set."""
    header = ["constants", "C*, PF-days", "N*", "D*", "L*", "C* interval, PF-days"]
    cells = [
        [
            row.constants,
            *(f"{p} / {r}" for p, r in zip(row.printed, row.recomputed, strict=True)),
            _interval(row.crossing),
        ]
        for row in rows
    ]
    name, factor = nearest_to_paper(rows)
    level = rows[0].crossing.flops.level
    return "\n".join(
        [
            "printed / recomputed; printed is an independent calculation from the same constants",
            format_table(header, cells),
            f"{sum(row.agrees for row in rows)} of {len(rows)} sets agree in every digit; "
            f"intervals {100 * level:.0f} %, of rounding or the errors given",
            f"Kaplan 2020, 6.3, prints C* {PAPERS_OWN[0]} PF-days, N* {PAPERS_OWN[1]}, "
            f"D* {PAPERS_OWN[2]}, L* {PAPERS_OWN[3]}: no set gives all four; the nearest, {name}, "
            f"is off by {factor:.1f}x at most",
        ]
    )


def _interval(found: Crossing) -> str:
    low, high = found.pf_days.low, found.pf_days.high
    if low is None or high is None:
        return ""
    return f"{shorten(low, digits=2)} to {shorten(high, digits=2)}"
