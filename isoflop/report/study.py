"""From a study folder or a run table to a report: analyse, gather, write."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from isoflop.draw.learning_curves import LearningCurve
from isoflop.draw.series import AxisLabels, axis_labels
from isoflop.exchange.run_tables import write_runs
from isoflop.fitting.checklist import Checklist, Stated, state_fit
from isoflop.fitting.parametric import FitSpec
from isoflop.fitting.saved import write_fit
from isoflop.fitting.trials.hidden_runs import find_side
from isoflop.plan.analysis.analysis import RECORDED, Analysis, analyse_runs
from isoflop.plan.analysis.answer import all_findings, answer_lines, refuse_plan
from isoflop.plan.analysis.hidden_words import describe_hidden
from isoflop.plan.analysis.identification import identification_rows
from isoflop.report.assemble import write_report
from isoflop.report.study_facts import known_items, repeat_commands, study_curves, study_facts
from isoflop.report.study_report import RankedForm, StudyReport, source_name
from isoflop.runs.table import RunTable
from isoflop.store.forced import find_forced
from isoflop.store.index.listing import is_study
from isoflop.store.recording.table import recorded_table
from isoflop.store.study import Study


@dataclass(frozen=True)
class Reported:
    """A report that was written.

    Args:
        report: the page.
        answer: the answer in six lines.
        written: every file written, the page first.
        analysis: the values behind it.
        checklist: what the main fit states and what not.
    """

    report: Path
    answer: tuple[str, ...]
    written: tuple[Path, ...]
    analysis: Analysis
    checklist: Checklist

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        analysis, (fit, backtest) = self.analysis, self.analysis.best
        return {
            "report": str(self.report),
            "answer": list(self.answer),
            "law": fit.to_dict(),
            "backtest": backtest.to_dict(),
            "exponents": {name: a.to_dict() for name, a in analysis.exponents.items()},
            "by_count": {n: f.params["a"].to_dict() for n, f in analysis.frontiers.items()},
            "ranking": [
                {
                    "law": f.law.name,
                    "rms": f.rms,
                    "hidden_rms": b.rms_miss,
                    "inside": b.inside if b.chosen_predicted.low is not None else None,
                }
                for f, b in analysis.ranked
            ],
            "chinchilla": analysis.chinchilla.to_dict(),
            "plans": [plan.to_dict() for plan in analysis.plans],
            "findings": [finding.to_dict() for finding in all_findings(analysis)],
            "checklist": self.checklist.to_dict(),
        }


def report_study(
    study_path: Path | str,
    path: Path | str | None = None,
    *,
    spec: FitSpec | None = None,
    stated: Stated | None = None,
) -> Reported:
    """Report on a study: its runs, laws, frontier, plans and learning curves.

    Beside the page, `runs.csv` and the fits as JSON are written into the study's folder.

    Args:
        study_path: the study, or a folder of recorded runs.
        path: the page; `report.html` in the study if not given.
        spec: how to fit.
        stated: what you state for the fit report checklist, and whether gaps are refused.

    Raises:
        InputError: no study there, a damaged journal, or too few runs finished.
        RefusalError: `stated` is strict, and items of the checklist are missing.
        MissingExtraError: matplotlib is not installed.
    """
    folder = Path(study_path)
    if not (folder / "ladder.toml").is_file() and is_study(folder):
        return _report_recorded(folder, path, spec, stated)
    study = Study.open(folder)
    page = Path(path) if path else folder / "report.html"
    curves = study.curves()  # a damaged journal is refused before the analysis
    analysis = replace(analyse_runs(study.run_table(), spec), noticed=tuple(find_forced(study)))
    checklist = _state(analysis, stated, known_items(study))
    written = [
        write_runs(study.run_table(), folder / "runs.csv"),
        *(write_fit(f, folder / "laws" / f"{f.law.name}.json") for f, _ in analysis.ranked),
    ]
    if analysis.frontier:
        written.append(write_fit(analysis.frontier, folder / "laws" / "isoflop.json"))
    report = _gather(
        analysis,
        title=f"Scaling laws of the ladder {study.ladder.name}",
        commands=repeat_commands(source_name(str(folder)), analysis),
        curves=study_curves(study, curves, analysis),
        labels=axis_labels(
            analysis.table,
            n_params=analysis.convention,
            n_tokens="bytes" if study.ladder.tokenizer == "bytes" else "",
        ),
        facts=study_facts(study),
        checklist=checklist,
    )
    written = (*write_report(report, page), *written)
    return Reported(page, report.answer, written, analysis, checklist)


def _report_recorded(
    folder: Path, path: Path | str | None, spec: FitSpec | None, stated: Stated | None
) -> Reported:
    """Report on recorded runs: their table, written beside the page, is all there is."""
    table, name = recorded_table(folder), source_name(str(folder))
    result = _report_table(
        table,
        path or folder / "report.html",
        title=f"Scaling laws of the recorded runs in {name}",
        commands=(f"isoflop report {name}", f"isoflop fit {name}/runs.csv -o law.json"),
        spec=spec,
        stated=stated,
    )
    return replace(result, written=(*result.written, write_runs(table, folder / "runs.csv")))


def report_runs(
    table: RunTable,
    path: Path | str,
    *,
    title: str = "",
    spec: FitSpec | None = None,
    options: str = "",
    stated: Stated | None = None,
) -> Reported:
    """Report on a run table.

    Args:
        table: runs with n_params, n_tokens, flops and loss.
        path: the page.
        title: of the report; names the source if "".
        spec: how to fit.
        options: of the command line, by which the table was read, such as `--derive n_tokens`;
            the commands shown in the report repeat them.
        stated: what you state for the fit report checklist, and whether gaps are refused.

    Raises:
        InputError: the table cannot be fitted, or has one budget only.
        RefusalError: `stated` is strict, and items of the checklist are missing.
        MissingExtraError: matplotlib is not installed.
    """
    source = " ".join(filter(None, (source_name(table.source), options)))
    return _report_table(
        table,
        path,
        title=title or f"Scaling laws of {source_name(table.source)}",
        commands=(f"isoflop report {source}", f"isoflop fit {source} -o law.json"),
        spec=spec,
        stated=stated,
    )


def _report_table(
    table: RunTable,
    path: Path | str,
    *,
    title: str,
    commands: tuple[str, ...],
    spec: FitSpec | None,
    stated: Stated | None,
) -> Reported:
    count = stated.items.get("N", RECORDED) if stated else RECORDED
    analysis = analyse_runs(table, spec, count=count)
    checklist = _state(analysis, stated)
    report = _gather(analysis, title=title, commands=commands, checklist=checklist)
    written = tuple(write_report(report, path))
    return Reported(Path(path), report.answer, written, analysis, checklist)


def _state(
    analysis: Analysis, stated: Stated | None, known: Mapping[str, str] | None = None
) -> Checklist:
    """The checklist of the main law, its backtest included."""
    fit, backtest = analysis.best
    found = {"backtest": describe_hidden(backtest), **(known or {})}
    return state_fit(fit, known=found, stated=stated)


def _gather(
    analysis: Analysis,
    *,
    title: str,
    commands: tuple[str, ...],
    curves: tuple[LearningCurve, ...] = (),
    labels: AxisLabels | None = None,
    facts: dict[str, str] | None = None,
    checklist: Checklist | None = None,
) -> StudyReport:
    fit, backtest = analysis.best
    return StudyReport(
        title=title,
        table=analysis.table,
        fit=fit,
        answer=answer_lines(analysis),
        frontiers=analysis.frontiers,
        main_convention=analysis.convention,
        exponents=analysis.exponents,
        ranking=tuple(
            RankedForm(
                f.law.name, f.rms, b.rms_miss, find_side(b.chosen_measured, b.chosen_predicted)
            )
            for f, b in analysis.ranked
        ),
        single_fits=analysis.slices,
        backtest=backtest,
        frontier_backtest=analysis.frontier_backtest,
        plans=analysis.plans,
        no_plan="" if analysis.plans else refuse_plan(analysis),
        cost=analysis.cost,
        curves=curves,
        identification=identification_rows(analysis),
        findings=all_findings(analysis),
        facts=facts or {},
        commands=commands,
        labels=labels,
        checklist=checklist,
    )
