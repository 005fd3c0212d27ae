"""The answer of an analysis, in six lines."""

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import Estimate, shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.fitting.record import label_groups
from isoflop.plan.analysis.analysis import PLAN_FACTORS, Analysis, counts_recorded
from isoflop.plan.analysis.disagreement import hold_methods
from isoflop.plan.analysis.headline import NARROW_A, PARABOLAS
from isoflop.plan.analysis.hidden_words import describe_hidden
from isoflop.plan.analysis.identification import identification_verdict
from isoflop.runs.checks import Finding
from isoflop.runs.counted import counted


def answer_lines(analysis: Analysis) -> tuple[str, ...]:
    """Write the answer in six lines."""
    _, backtest = analysis.best
    chinchilla = analysis.chinchilla
    alpha, beta = (_told(chinchilla.params[name]) for name in ("alpha", "beta"))
    return (
        f"Optimum     {_optimum(analysis)}",
        f"By count    {_by_count(analysis)}",
        f"Law         Chinchilla form fits within {100 * chinchilla.rms:.2f} % RMS; "
        f"alpha {alpha}, beta {beta}",
        f"Foresight   {describe_hidden(backtest)}",
        f"Plan        {plan_sentence(analysis)}",
        f"Identified  {identification_verdict(analysis)}{_warnings(analysis)}",
    )


def _optimum(analysis: Analysis) -> str:
    headline = analysis.headline
    if headline is None:
        return "not identified by these runs"
    known = f"{headline.a} ({headline.method}, N = {analysis.convention})"
    if not headline.identified:
        return f"not identified: the a of N* ∝ C^a is {known}"
    return f"N* ∝ C^a with a = {known}"


def _by_count(analysis: Analysis) -> str:
    if analysis.frontiers:
        each = (f"{words} {f.params['a']}" for words, f in analysis.frontiers.items())
        return f"a = {', '.join(each)} ({PARABOLAS})"
    counts = len(counts_recorded(analysis.table))
    return f"no IsoFLOP frontier could be fitted ({counted(counts, 'count')} of N recorded)"


def _told(exponent: Estimate) -> str:
    """An exponent with its interval; one without is not determined."""
    return "not determined" if exponent.low is None else str(exponent)


def _warnings(analysis: Analysis) -> str:
    """Name the findings a reader must not miss."""
    codes = dict.fromkeys(f.code for f in all_findings(analysis) if f.severity != "note")
    return f"; see {', '.join(codes)}" if codes else ""


def all_findings(analysis: Analysis) -> tuple[Finding, ...]:
    """List the findings, each once.

    Of the study, of the best joint fit, of its backtest, of the Chinchilla form, of the frontier,
    and of the two held against each other.
    """
    best, backtest = analysis.best
    found = [*analysis.noticed, *best.findings, *backtest.findings, *analysis.chinchilla.findings]
    if analysis.frontier:
        found += analysis.frontier.findings
        found += _disagreement(analysis.chinchilla, analysis.frontier)
    return tuple(dict.fromkeys(found))


def _disagreement(fit: Fit, frontier: Frontier) -> list[Finding]:
    """Say where parabolas and surface disagree, and what it costs; nothing where they agree."""
    try:
        found = hold_methods(fit, [frontier], flops=PLAN_FACTORS[0] * fit.data.ranges["flops"][1])
    except RefusalError:
        return []
    return [finding for finding in found.findings if finding.severity != "note"]


def plan_sentence(analysis: Analysis) -> str:
    """Say what to train with ten times the largest budget, and how far the methods differ."""
    if not analysis.plans:
        return refuse_plan(analysis)
    plan, *others = [p for p in analysis.plans if p.flops == analysis.plans[0].flops]
    sizes = [p.n_params.value for p in (plan, *others)]
    losses = [p.loss.value for p in (plan, *others)]
    return (
        f"at {shorten(plan.flops, digits=2)} FLOPs train N = {plan.n_params} on D = "
        f"{plan.n_tokens} tokens for a mean loss of {plan.loss} ({plan.law}; all methods: N from "
        f"{shorten(min(sizes), digits=2)} to {shorten(max(sizes), digits=2)}, loss from "
        f"{shorten(min(losses))} to {shorten(max(losses))})"
    )


def refuse_plan(analysis: Analysis) -> str:
    """Say why no larger budget is planned, and what would change that."""
    headline = analysis.headline
    if headline and headline.identified:
        return "none: no law here may be extrapolated"
    return f"none: {_unknown(analysis)}; train more sizes and budgets (`isoflop design`)"


def _unknown(analysis: Analysis) -> str:
    """Why the exponent a is not identified."""
    if analysis.headline:
        half = analysis.headline.half_width
        return f"a is known to ±{half:.2f} only, and N* at a larger budget needs ±{NARROW_A:g}"
    if analysis.chinchilla.determined:
        return "no method gives an interval of a"
    sizes = counted(len(set(label_groups(analysis.table, "n_params"))), "size")
    return (
        f"the law is not identified: {sizes} of N leave constants of the Chinchilla form free, "
        "no IsoFLOP frontier could be fitted, and simpler forms only assume what is missing"
    )
