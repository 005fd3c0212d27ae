"""`isoflop downstream`: the score of a task at a scale not yet trained."""

import click

import isoflop
from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.downstream.task import MAPS, Task
from isoflop.fitting.parametric import FitSpec
from isoflop.runs.table import RunTable


@click.command("downstream")
@table_arguments("runs")
@click.option("--metric", default="accuracy", show_default=True, help="Column of shares, 0 to 1.")
@click.option("--map", "mapping", type=click.Choice(MAPS), default=MAPS[0], show_default=True)
@click.option("--law", help="Law of the loss; by default what suits the amounts asked for.")
@click.option("--over", help="Variable of a one-variable law: n_params, n_tokens, flops.")
@click.option("--flops", type=AMOUNT, multiple=True, help="Predict there; repeatable.")
@click.option("--n-params", type=AMOUNT, multiple=True, help="Predict there; repeatable.")
@click.option("--n-tokens", type=AMOUNT, multiple=True, help="Predict there; repeatable.")
@click.option("--chance", type=click.FloatRange(0, 1), help="Accuracy of guessing: the floor.")
@click.option("--questions", type=click.IntRange(1), help="Questions a score is the share of.")
@click.option("--benchmarks", default="", help="Columns of other scores: observational, a,b,c.")
@click.option("--family", help="Family of models predicted, with --benchmarks.")
@click.option("--components", type=click.IntRange(1), default=1, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(
    runs: RunTable,
    metric: str,
    mapping: str,
    law: str | None,
    over: str | None,
    flops: tuple[float, ...],
    n_params: tuple[float, ...],
    n_tokens: tuple[float, ...],
    chance: float | None,
    questions: int | None,
    benchmarks: str,
    family: str | None,
    components: int,
    seed: int,
    as_json: bool,
) -> int:
    """Predict a task's score in two steps: loss from scale, then score from loss.

    With --benchmarks no loss is needed: models of several families, their compute and their
    scores on other benchmarks predict the metric (observational scaling, Ruan et al. 2024).

    \b
    Example:
      isoflop downstream runs.csv --metric accuracy --flops 1e23 --chance 0.25
      isoflop downstream runs.csv --metric error --map error --n-params 7B --n-tokens 140B
      isoflop downstream models.csv --metric gsm8k --benchmarks mmlu,arc --family llama --flops 1e25
    \b
    Python:
      isoflop.forecast_task(isoflop.read_runs("runs.csv"), isoflop.Task("accuracy"))
    """
    if benchmarks:
        return _observe(runs, metric, benchmarks, family, flops, components, seed, as_json)
    given = {"flops": flops, "n_params": n_params, "n_tokens": n_tokens}
    at = {name: amounts for name, amounts in given.items() if amounts}
    if len({len(amounts) for amounts in at.values()}) > 1:
        raise click.UsageError("give as many of one amount as of the others")
    found = isoflop.forecast_task(
        runs, Task(metric, mapping, chance, questions), at, law=law, over=over,
        spec=FitSpec(seed=seed),
    )  # fmt: skip
    for finding in found.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(found.to_dict(), str(found), as_json=as_json)
    return 0 if found.determined else 1


def _observe(
    runs: RunTable,
    metric: str,
    benchmarks: str,
    family: str | None,
    flops: tuple[float, ...],
    components: int,
    seed: int,
    as_json: bool,
) -> int:
    """Fit an observational law, and predict one family's models."""
    if not family or not flops:
        raise click.UsageError("--benchmarks predicts models of a --family at some --flops")
    names = [name.strip() for name in benchmarks.split(",") if name.strip()]
    fit = isoflop.fit_observational(
        runs, benchmarks=names, target=metric, n_components=components, seed=seed
    )
    scores = isoflop.predict_observational(fit, family, flops)
    text = [f"{metric} from {len(names)} benchmarks of {fit.n_models} models, "
            f"{components} component{'s' if components > 1 else ''}"]  # fmt: skip
    text += [
        f"at flops {shorten(amount)}: {family} {metric} {score} "
        f"({100 * score.level:g} %, one future model)"
        for amount, score in zip(flops, scores, strict=True)
    ]
    shown = [
        {"family": family, "flops": amount, metric: score.to_dict()}
        for amount, score in zip(flops, scores, strict=True)
    ]
    show({"metric": metric, "n_models": fit.n_models, "predictions": shown}, "\n".join(text),
         as_json=as_json)  # fmt: skip
    return 0
