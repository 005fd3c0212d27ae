"""`isoflop compare`: several laws, or the three methods, on one run table."""

import click

from isoflop.base.estimate import shorten
from isoflop.cli.amount import AMOUNT
from isoflop.cli.output import format_table, json_option, narrate, show
from isoflop.cli.table_options import table_arguments
from isoflop.fitting.methods import choose_form
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.trials.compare import CONTENDERS, N_RESAMPLES, WITHIN, compare_laws
from isoflop.fitting.trials.comparison import Comparison
from isoflop.plan.analysis.disagreement import MethodComparison, compare_methods
from isoflop.runs.checks import Finding
from isoflop.runs.table import RunTable


@click.command("compare")
@table_arguments("runs")
@click.option("--laws", default="", help="Forms, a,b,c; those that suit the columns by default.")
@click.option("--law", "formulas", multiple=True, help="One more form, or a formula.")
@click.option("--over", help="Variable of the one-variable laws: n_params, n_tokens, flops.")
@click.option("--methods", is_flag=True, help="Compare parametric, isoflop and envelope instead.")
@click.option("--flops", type=AMOUNT, help="Target of --methods; 100× the largest run by default.")
@click.option("--bootstrap", type=click.IntRange(0), help="Resamples a fit.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@json_option
def command(
    runs: RunTable,
    laws: str,
    formulas: tuple[str, ...],
    over: str | None,
    methods: bool,
    flops: float | None,
    bootstrap: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Order laws by how well they foresee larger runs, or price what the methods disagree on.

    \b
    Example:
      isoflop compare runs.csv --laws chinchilla,kaplan-nd
      isoflop compare runs.csv --methods --flops 1e23
    \b
    Python:
      isoflop.compare_laws(isoflop.read_runs("runs.csv"))
      isoflop.compare_methods(isoflop.read_runs("runs.csv"), flops=1e23)
    """
    names = [name for name in laws.split(",") if name.strip()] + list(formulas)
    forms = [choose_form(runs, name, over=_over(name, over)) for name in names]
    found: Comparison | MethodComparison
    if methods:
        resamples = FitSpec().n_resamples if bootstrap is None else bootstrap
        law = forms[0] if forms else None
        found = compare_methods(runs, law, FitSpec(n_resamples=resamples, seed=seed), flops=flops)
        text = methods_text(found)
    else:
        resamples = N_RESAMPLES if bootstrap is None else bootstrap
        found = compare_laws(runs, forms, FitSpec(n_resamples=resamples, seed=seed))
        text = laws_text(found)
    for finding in found.findings if as_json else ():
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}")
    show(found.to_dict(), text, as_json=as_json)


def laws_text(comparison: Comparison) -> str:
    """Write the table of laws, best foresight first."""
    least = min(score.criteria.aic_c for score in comparison.scores)
    least_bic = min(score.criteria.bic for score in comparison.scores)
    rows = [
        [
            score.law,
            str(len(score.fit.theta)),
            _percent(score.rolling.rmsle),
            _percent(score.scale_out),
            f"{score.criteria.aic_c - least:.1f}",
            f"{score.criteria.bic - least_bic:.1f}",
            _share(score.rolling.coverage),
            "" if score.determined else "not determined",
        ]
        for score in comparison.scores
    ]
    head = ["law", "p", "rolling", "scale out", "ΔAICc", "ΔBIC", "covered", ""]
    best, level = comparison.best.rolling, 100 * comparison.best.fit.level
    lines = [
        f"{comparison.n_runs} runs, {comparison.n_scales} scales of {comparison.column}; ordered "
        "by the rolling backtest: log miss of all larger runs",
        format_table(head, rows, right=range(1, 7)),
        f"covered: hidden runs inside their {level:g} % intervals, asked of at most {CONTENDERS} "
        f"laws, within {WITHIN:g} times the first's miss; `isoflop backtest` asks it of any",
        "",
        f"{best.law} from each origin; mean: measured − predicted, positive where it was too "
        "optimistic",
        format_table(
            [
                "fitted below",
                "runs",
                "predicted",
                "RMS miss",
                "mean",
                "covered",
                f"E [{level:g} %]",
            ],
            [
                [
                    shorten(origin.largest),
                    str(origin.n_fitted),
                    str(origin.n_hidden),
                    _percent(origin.rmsle),
                    f"{100 * origin.bias:+.2f} %",
                    _share(origin.coverage),
                    str(origin.constant or ""),
                ]
                for origin in best.origins
            ],
            right=range(6),
        ),
        *(f"left out: {name}: {why}" for name, why in comparison.left_out),
        *_finding_lines(comparison.findings),
    ]
    return "\n".join(lines)


def methods_text(comparison: MethodComparison) -> str:
    """Write the table of methods."""
    rows = [
        [
            answer.method,
            str(answer.exponent),
            str(answer.n_params),
            str(answer.tokens_per_param),
            f"{100 * answer.waste:.2g} %",
        ]
        for answer in comparison.answers
    ]
    lines = [
        f"at {shorten(comparison.flops)} FLOPs; waste by the {comparison.law} law",
        format_table(["method", "a", "N*", "D*/N*", "waste"], rows, right=[4]),
        *(f"refused: {name}: {why}" for name, why in comparison.refused),
        *_finding_lines(comparison.findings),
        *_finding_lines(tuple(f for a in comparison.answers for f in a.findings)),
    ]
    return "\n".join(lines)


def _over(name: str, over: str | None) -> str | None:
    """The variable asked for, where the law is one of a variable."""
    from isoflop.laws.forms import SINGLE_FORMS, canonical_name

    return over if canonical_name(name) in SINGLE_FORMS else None


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _finding_lines(findings: tuple[Finding, ...]) -> list[str]:
    return [f"{finding.severity}: {finding.code}: {finding.evidence}" for finding in findings]
