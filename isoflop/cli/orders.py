"""`isoflop orders`: how far benchmarks are from human level, by several forms."""

from pathlib import Path

import click

from isoflop.base.errors import InputError
from isoflop.base.estimate import Estimate
from isoflop.cli.figure_option import figure_option, save_drawing
from isoflop.cli.output import format_table, json_option, show
from isoflop.exchange.run_tables import read_runs
from isoflop.plan.forecast.orders import Orders, OrdersSpec, count_groups, measure_orders
from isoflop.plan.forecast.score_curve import ScoreCurve
from isoflop.plan.forecast.score_forms import SCORE_FORMS

PERCENT = click.FloatRange(0, 100)


@click.command("orders")
@click.argument("scores", type=click.Path(path_type=Path))
@click.option(
    "--human", multiple=True, metavar="TASK=PERCENT", help="Human level; may be repeated."
)
@click.option("--every", type=PERCENT, help="Level of every task without one of its own.")
@click.option("--mean", "average", is_flag=True, help="The mean of all tasks; needs --every.")
@click.option("--shots", help="Keep this way of asking, such as few.")
@click.option("--over", default="n_params", show_default=True, help="Column of the size.")
@click.option("--chance", multiple=True, metavar="TASK=PERCENT", help="Right by guessing.")
@click.option("--questions", type=click.IntRange(1), help="Questions behind a score.")
@click.option("--level", type=click.FloatRange(0, 1, True, True), default=0.9, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@figure_option
@json_option
def command(
    scores: Path,
    human: tuple[str, ...],
    every: float | None,
    average: bool,
    shots: str | None,
    over: str,
    chance: tuple[str, ...],
    questions: int | None,
    level: float,
    seed: int,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Count orders of magnitude of size from the largest model to human level.

    SCORES has columns task, n_params and score_percent, and shots where tasks were asked in several
    ways. Straight lines in the score, its logit and the log of its error, and a broken power law,
    stand side by side.

    \b
    Example:
      isoflop orders scores.csv --human CoQA=88.8 --shots few
    \b
    Python:
      isoflop.measure_orders(isoflop.read_runs("scores.csv"), {"CoQA": 88.8})
    """
    spec = OrdersSpec(over, shots, _percents("chance", chance), questions, level, seed)
    levels = _percents("human", human)
    found = measure_orders(read_runs(scores), levels, every=every, average=average, spec=spec)
    if figure:
        from isoflop.draw.orders import draw_orders, orders_figure

        save_drawing(figure, orders_figure(found), draw_orders, reads=(scores,))
    show(found.to_dict(), orders_text(found), as_json=as_json)


def orders_text(found: Orders) -> str:
    """Write the tasks, their groups and what to know of them."""
    names = list(SCORE_FORMS)
    rows = [
        [task.series.name, f"{100 * task.series.share[-1]:.1f}", f"{100 * task.human:.1f}",
         *(_write(task.orders[name], task.curves[name]) for name in names),
         task.group]
        for task in found.tasks
    ]  # fmt: skip
    head = ["task", "score", "human", *names, "group"]
    what = "parameters" if found.variable == "n_params" else found.variable
    lines = [
        f"orders of magnitude of {what} beyond the largest model to human level",
        format_table(head, rows, right=[1, 2]),
        "; ".join(f"{k}: {', '.join(v)}" for k, v in count_groups(found.tasks).items()),
    ]
    for finding in (*found.findings, *(f for task in found.tasks for f in task.findings)):
        lines.append(f"{finding.severity}: {finding.code}: {finding.evidence}")
        lines.append(f"    {finding.consequence}; {finding.remedy}")
    unfitted = {
        f"no fit: {name}: {curve.reason}"
        for task in found.tasks for name, curve in task.curves.items() if curve.fit is None
    }  # fmt: skip
    lines += sorted(unfitted)
    if any("?" in cell for row in rows for cell in row):
        lines.append("? these scores do not determine the form's constants: no interval")
    if found.without_level:
        lines.append(f"left out, no human level: {', '.join(found.without_level)}")
    return "\n".join(lines)


def _write(orders: Estimate | None, curve: ScoreCurve) -> str:
    if orders is None:
        return "no fit" if curve.fit is None else "never"
    if curve.reason:
        return f"{orders.value:.1f} ?"
    low = "-∞" if orders.low is None else f"{orders.low:.1f}"
    high = "∞" if orders.high is None else f"{orders.high:.1f}"
    return f"{orders.value:.1f} [{low}, {high}]"


def _percents(option: str, given: tuple[str, ...]) -> dict[str, float]:
    """Read TASK=PERCENT."""
    levels = {}
    for text in given:
        task, _, number = text.rpartition("=")
        try:
            levels[task.strip()] = float(number)
        except ValueError:
            task = ""
        if not task or not 0 <= levels[task.strip()] <= 100:
            raise InputError(f"--{option} wants TASK=PERCENT, such as CoQA=88.8; found {text!r}")
    return levels
