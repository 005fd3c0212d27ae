"""`isoflop kaplan batch`: the critical batch, and steps against tokens around it."""

import click

from isoflop.base.errors import InputError
from isoflop.cli.amount import AMOUNT
from isoflop.cli.estimates import narrate_notes, write_estimate, write_factor
from isoflop.cli.output import format_table, json_option, show

DAY = 86400.0


@click.command("batch")
@click.option("--flops", type=AMOUNT, help="C_min, FLOPs far below the critical batch.")
@click.option("--frontier", default="table-6", show_default=True, help="Or theory, for --flops.")
@click.option("--loss", type=AMOUNT, help="Instead: target loss, nats per token, and")
@click.option("--n-params", type=AMOUNT, help="the model's size.")
@click.option("--measured", help="Instead: the file of a batch-trade fit.")
@click.option("--steps-law", default="kaplan-2020-ns", show_default=True, help="For --loss.")
@click.option("--critical-law", default="kaplan-2020-b-crit-l", show_default=True)
@click.option("--batch", "batches", type=AMOUNT, multiple=True, help="Tokens a step; repeatable.")
@click.option("--step-seconds", type=AMOUNT, help="Seconds a step takes, for the time.")
@json_option
def command(
    flops: float | None,
    frontier: str,
    loss: float | None,
    n_params: float | None,
    measured: str | None,
    steps_law: str,
    critical_law: str,
    batches: tuple[float, ...],
    step_seconds: float | None,
    as_json: bool,
) -> None:
    """Find the critical batch, and trade steps against tokens around it.

    \b
    Example:
      isoflop kaplan batch --flops 8.64e19
      isoflop kaplan batch --loss 2.6 --n-params 1.5B --batch 500k --batch 4M --step-seconds 1.5
    \b
    Python:
      isoflop.plan_batch(8.64e19)
    """
    from isoflop.plan.kaplan.batch import plan_batch, plan_batch_for_loss, plan_batch_from_runs

    if sum((flops is not None, loss is not None and n_params is not None, bool(measured))) != 1:
        raise InputError("give one of --flops, --loss with --n-params, or --measured")
    if flops is not None:
        plan = plan_batch(
            flops, batches=batches, step_seconds=step_seconds, frontier=frontier,
            critical_law=critical_law,
        )  # fmt: skip
    elif loss is not None and n_params is not None:
        plan = plan_batch_for_loss(
            loss, n_params, batches=batches, step_seconds=step_seconds, steps_law=steps_law,
            critical_law=critical_law,
        )  # fmt: skip
    else:
        plan = plan_batch_from_runs(measured or "", batches=batches, step_seconds=step_seconds)
    lines = [
        f"loss              {write_estimate(plan.loss)}",
        f"parameters        {write_estimate(plan.n_params)}",
        f"critical batch    {plan.critical_batch} tokens a step",
        f"fewest steps      {plan.steps_min}, far above it",
        f"fewest tokens     {plan.tokens_min}, far below it",
        f"fewest FLOPs      {write_estimate(plan.flops_min)}, far below it",
    ]
    rows = [
        [
            write_estimate(trade.batch_tokens),
            write_estimate(trade.steps),
            write_factor(trade.steps_ratio),
            write_estimate(trade.n_tokens),
            write_factor(trade.tokens_ratio),
            write_estimate(trade.flops),
            write_estimate(trade.train_seconds, factor=1 / DAY),
        ]
        for trade in plan.trades
    ]
    header = ["batch", "steps", "over fewest", "tokens", "over fewest", "FLOPs", "days"]
    narrate_notes(plan.notes)
    table = format_table(header, rows, right=range(7))
    show(plan.to_dict(), "\n".join([*lines, table]), as_json=as_json)
