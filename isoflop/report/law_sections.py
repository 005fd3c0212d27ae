"""Sections on the fitted laws: the card, the parameters, the curves and the residuals."""

from isoflop.base.estimate import shorten
from isoflop.draw.loss_curves import draw_loss_curves, loss_curves_figure
from isoflop.draw.residuals import draw_residuals, residuals_figure
from isoflop.fitting.card import fit_card
from isoflop.fitting.fit import Fit
from isoflop.fitting.given import HELD
from isoflop.report.blocks import Block, Code, Details, Heading, Paragraph, Table
from isoflop.report.pictures import picture
from isoflop.report.study_report import RankedForm, StudyReport, without_folders
from isoflop.runs.counted import counted


def law_section(study: StudyReport) -> tuple[Block, ...]:
    """The main law, its parameters, and the card with everything else."""
    fit = study.fit
    if fit is None:
        return ()
    units = {p.name: study.unit_of(p.unit) for p in fit.law.parameters}
    free = "" if fit.determined else " (not determined by these runs)"
    rows = [(name, f"{e}{free}", units[name]) for name, e in fit.params.items()]
    rows += [(name, shorten(value, digits=6), HELD) for name, value in fit.held.items()]
    derived = {name: e for name, e in fit.derived.items() if fit.given.get(name) != HELD}
    rows += [(name, f"{e}{free}", fit.given.get(name, "derived")) for name, e in derived.items()]
    caption = f"{100 * fit.level:.0f} % intervals: {fit.interval}."
    if study.no_plan:
        caption += f" By the assumptions of {fit.law.name}: these runs identify no optimum."
    blocks: list[Block] = [
        Heading("The law"),
        Paragraph(f"{fit.law.name}: loss = {fit.law.form} ({fit.law.source})."),
        Table(("parameter", "estimate", "unit or origin"), tuple(rows), caption),
        Details("The fit card", (Code(fit_card(without_folders(fit))),)),
    ]
    if study.ranking:
        blocks.append(_ranking(study.ranking))
    return tuple(blocks)


def curves_section(study: StudyReport) -> tuple[Block, ...]:
    """Loss against N, D and C."""
    columns = [name for name in ("n_params", "n_tokens", "flops") if name in study.table]
    if not columns:
        return ()
    singles = {_shown(label, fit): fit for label, fit in study.single_fits.items()}
    figure = loss_curves_figure(
        study.table, joint=study.fit, singles=singles, labels=study.axis_labels
    )
    law = f" Thin lines: {study.fit.law.name} at fixed size or tokens." if study.fit else ""
    single = " Black: one-variable laws with their bands." if singles else ""
    caption = f"Held-out loss of each run against size, tokens and compute.{law}{single}"
    alt = f"{counted(len(study.table), 'run')}; loss falls with {', '.join(columns)}"
    drawn = picture("loss-curves", figure, draw_loss_curves(figure), caption=caption, alt=alt)
    blocks: list[Block] = [Heading("Loss against size, data and compute"), drawn]
    if study.single_fits:
        head = ("law", "form", "alpha", "E", "residual RMS", "runs")
        rows = tuple(_single_row(label, fit) for label, fit in study.single_fits.items())
        blocks.append(Table(head, rows, "One-variable laws."))
    return tuple(blocks)


def residuals_section(study: StudyReport) -> tuple[Block, ...]:
    """What the main law leaves unexplained."""
    fit = study.fit
    if fit is None:
        return ()
    figure = residuals_figure(fit, study.table, labels=study.axis_labels)
    caption = (
        f"Residuals of the {fit.law.name} form; the grey band is one RMS of the runs that have a "
        f"say in the fit ({figure.rms:.2f} %). A slope or a bend by size is a law that does not "
        "hold."
    )
    alt = f"Residuals of the runs that have a say scatter with an RMS of {figure.rms:.2f} %"
    drawn = picture("residuals", figure, draw_residuals(figure), caption=caption, alt=alt)
    return (Heading("Residuals"), drawn)


def _ranking(ranking: tuple[RankedForm, ...]) -> Table:
    rows = tuple(
        (
            form.name,
            f"{100 * form.fitted_rms:.2f} %",
            f"{100 * form.hidden_rms:.2f} %",
            form.side,
        )
        for form in ranking
    )
    head = ("form", "RMS, all runs fitted", "RMS, largest runs hidden", "the run it chose")
    return Table(head, rows, "Joint forms, ranked by how well they foresaw the hidden runs.")


def _shown(label: str, fit: Fit) -> str:
    return label or f"L({fit.law.variables[0]})"


def _single_row(label: str, fit: Fit) -> tuple[str, ...]:
    constant = str(fit.params["E"]) if "E" in fit.params else ""
    exponent = str(fit.params["alpha"]) if "alpha" in fit.params else ""
    return (label, fit.law.form, exponent, constant, f"{100 * fit.rms:.2f} %", str(fit.n_runs))
