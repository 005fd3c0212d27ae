"""Everything a report may show; what is absent leaves its section out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from isoflop.base.estimate import Estimate
from isoflop.draw.learning_curves import LearningCurve
from isoflop.draw.series import AxisLabels, axis_labels
from isoflop.fitting.checklist import Checklist
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.trials.backtest import Backtest
from isoflop.plan.analysis.analysis import FrontierBacktest
from isoflop.plan.optimum.plan import Plan
from isoflop.runs.checks import Finding
from isoflop.runs.cost import TokenCost
from isoflop.runs.table import RunTable


@dataclass(frozen=True)
class RankedForm:
    """A form and how well it fits and foresees.

    Args:
        name: of the form.
        fitted_rms: RMS residual of the fit of all runs, relative.
        hidden_rms: RMS miss of the hidden budget, relative.
        side: where the best of the hidden runs measured: `inside` its interval, `above`, `below`,
            or `no interval`.
    """

    name: str
    fitted_rms: float
    hidden_rms: float
    side: str


@dataclass(frozen=True)
class StudyReport:
    """The values a report is assembled from.

    Args:
        title: plain text.
        table: the runs.
        fit: the main joint law, None if there is none.
        answer: the answer, six lines.
        frontiers: {count of N in words: frontier}.
        main_convention: the key of `frontiers` whose valleys are shown; the first if "".
        exponents: {method: a of N* ∝ C^a}.
        ranking: joint forms, best foresight first.
        single_fits: {label: one-variable fit}.
        backtest: prediction of the hidden runs.
        frontier_backtest: prediction of the hidden budget's optimum.
        plans: allocations of larger budgets.
        no_plan: why there are none.
        cost: FLOPs per token as a function of size.
        curves: learning curves.
        identification: (what, how well) rows.
        findings: beyond those of the fits.
        facts: machine-independent facts: corpus, tokenizer, precision, seeds, ….
        commands: what was run, and what repeats it.
        labels: names of the axes; read off the table if None.
        checklist: what the main fit states and what not.
    """

    title: str
    table: RunTable
    fit: Fit | None = None
    answer: tuple[str, ...] = ()
    frontiers: Mapping[str, Frontier] = field(default_factory=dict)
    main_convention: str = ""
    exponents: Mapping[str, Estimate] = field(default_factory=dict)
    ranking: tuple[RankedForm, ...] = ()
    single_fits: Mapping[str, Fit] = field(default_factory=dict)
    backtest: Backtest | None = None
    frontier_backtest: FrontierBacktest | None = None
    plans: tuple[Plan, ...] = ()
    no_plan: str = ""
    cost: TokenCost = field(default_factory=TokenCost)
    curves: tuple[LearningCurve, ...] = ()
    identification: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[str, ...] = ()
    labels: AxisLabels | None = None
    checklist: Checklist | None = None

    @property
    def axis_labels(self) -> AxisLabels:
        """Names of the axes."""
        return self.labels or axis_labels(self.table, n_params=self.main_convention)

    def unit_of(self, unit: str) -> str:
        """A parameter's unit; nats are per what the losses are per, where the table says it."""
        units = set(self.table.text("loss_unit")) if "loss_unit" in self.table else set()
        return units.pop() if unit == "nats" and len(units) == 1 else unit

    @property
    def source(self) -> str:
        """Name of the runs' file or study, without its folders."""
        return source_name(self.table.source)

    @property
    def main_frontier(self) -> tuple[str, Frontier] | None:
        """The frontier whose valleys are shown, with its count of N."""
        if not self.frontiers:
            return None
        name = self.main_convention
        name = name if name in self.frontiers else next(iter(self.frontiers))
        return name, self.frontiers[name]

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Findings of the study and of every fit shown, each once."""
        found = list(self.findings)
        if self.fit:
            found += self.fit.findings
        if self.main_frontier:
            found += self.main_frontier[1].findings
        return tuple(dict.fromkeys(found))


def source_name(source: str) -> str:
    """Return a source's last part: a report names no folders of the machine it was made on.

    >>> source_name("some/folder/runs.csv")
    'runs.csv'
    """
    return PurePath(source.replace("\\", "/")).name or source


def without_folders(fit: Fit) -> Fit:
    """Return the fit with its source's folders left out."""
    return replace(fit, data=replace(fit.data, source=source_name(fit.data.source)))
