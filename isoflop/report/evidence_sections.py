"""Sections that say how far to trust the answer: backtest, learning curves, identification."""

from isoflop.base.estimate import shorten
from isoflop.draw.backtest import backtest_figure, draw_backtest
from isoflop.draw.learning_curves import draw_learning_curves, learning_curves_figure
from isoflop.fitting.trials.backtest import Backtest
from isoflop.fitting.trials.hidden_runs import find_side
from isoflop.plan.analysis.hidden_words import describe_hidden, describe_runs, one_budget
from isoflop.report.blocks import Block, FindingList, Heading, Paragraph, Table
from isoflop.report.pictures import picture
from isoflop.report.study_report import StudyReport
from isoflop.runs.counted import counted


def backtest_section(study: StudyReport) -> tuple[Block, ...]:
    """The hidden budget: predicted and measured."""
    blocks: list[Block] = []
    if study.backtest:
        figure = backtest_figure(study.backtest, labels=study.axis_labels)
        caption = (
            f"The {describe_runs(study.backtest)}, hidden from the fit of the other "
            f"{study.backtest.n_fitted}, against what it predicted."
        )
        sentence = _describe(study.backtest)
        drawn = picture("backtest", figure, draw_backtest(figure), caption=caption, alt=sentence)
        blocks += [Paragraph(sentence), drawn]
    optimum = study.frontier_backtest
    if optimum:
        side = find_side(optimum.measured, optimum.predicted)
        verdict = {"inside": "inside the interval", "no interval": "it had no interval"}.get(
            side, "OUTSIDE the interval"
        )
        text = (
            f"The frontier of the smaller budgets predicted N* = {optimum.predicted} at "
            f"{shorten(optimum.flops)} FLOPs; that budget's own valley has its minimum at "
            f"{shorten(optimum.measured)}: {verdict}."
        )
        blocks.append(Paragraph(text))
    return (Heading("Backtest: the largest runs hidden"), *blocks) if blocks else ()


def learning_section(study: StudyReport) -> tuple[Block, ...]:
    """Loss during training."""
    if not study.curves:
        return ()
    needed = {"n_params", "n_tokens", "flops", "loss"}
    finals = study.table if needed <= set(study.table.columns) else None
    figure = learning_curves_figure(study.curves, finals=finals, labels=study.axis_labels)
    caption = (
        "Held-out loss during training by size (lines), with the lowest loss reached at each "
        "compute (dashed)."
    )
    if finals is not None:
        caption += " Points: finished runs, whose learning rate was brought down to its end."
    alt = f"{counted(len(study.curves), 'learning curve')}; larger models overtake smaller ones"
    drawn = picture(
        "learning-curves", figure, draw_learning_curves(figure), caption=caption, alt=alt
    )
    return (Heading("Learning curves"), drawn)


def identification_section(study: StudyReport) -> tuple[Block, ...]:
    """Whether the runs determine what was fitted."""
    if not study.identification:
        return ()
    return (
        Heading("Is it identified, or only fitted?"),
        Table(("what", "how well"), study.identification),
    )


def findings_section(study: StudyReport) -> tuple[Block, ...]:
    """Everything a careful reader should know."""
    findings = study.all_findings
    if not findings:
        return ()
    return (Heading("Findings"), FindingList(findings))


def _describe(backtest: Backtest) -> str:
    chosen = ""
    if one_budget(backtest):
        chosen = " The run it would have chosen is the one it predicted to be lowest."
    said = describe_hidden(backtest)
    return f"{said}.{chosen} RMS miss {100 * backtest.rms_miss:.2f} %."
