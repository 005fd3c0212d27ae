"""The answer of an analysis, in six lines."""

from isoflop.base.errors import RefusalError
from isoflop.base.estimate import shorten
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier
from isoflop.plan.analysis.analysis import PLAN_FACTORS, Analysis
from isoflop.plan.analysis.disagreement import hold_methods
from isoflop.plan.analysis.hidden_words import describe_hidden
from isoflop.plan.analysis.identification import headline_exponent, identification_verdict
from isoflop.runs.checks import Finding


def answer_lines(analysis: Analysis) -> tuple[str, ...]:
    """Write the answer in six lines."""
    _, backtest = analysis.best
    chinchilla = analysis.chinchilla
    headline = headline_exponent(analysis)
    optimum = "not determined by these runs"
    if headline:
        optimum = f"N* ∝ C^a with a = {headline[1]} ({headline[0]}, N = {analysis.convention})"
    by_count = ", ".join(
        f"{words} {shorten(f.params['a'].value, digits=2)}"
        for words, f in analysis.frontiers.items()
    )
    return (
        f"Optimum     {optimum}",
        f"By count    a = {by_count or 'one count of N recorded'}",
        f"Law         Chinchilla form fits within {100 * chinchilla.rms:.2f} % RMS; "
        f"alpha {chinchilla.params['alpha']}, beta {chinchilla.params['beta']}",
        f"Foresight   {describe_hidden(backtest)}",
        f"Plan        {plan_sentence(analysis)}",
        f"Identified  {identification_verdict(analysis)}{_warnings(analysis)}",
    )


def _warnings(analysis: Analysis) -> str:
    """Name the findings a reader must not miss."""
    codes = dict.fromkeys(f.code for f in all_findings(analysis) if f.severity != "note")
    return f"; see {', '.join(codes)}" if codes else ""


def all_findings(analysis: Analysis) -> tuple[Finding, ...]:
    """List the findings, each once.

    Of the best joint fit, of its backtest, of the Chinchilla form, of the frontier, and of the two
    held against each other.
    """
    best, backtest = analysis.best
    found = [*best.findings, *backtest.findings, *analysis.chinchilla.findings]
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
        return "none: no law here may be extrapolated"
    plan, *others = [p for p in analysis.plans if p.flops == analysis.plans[0].flops]
    sizes = [p.n_params.value for p in (plan, *others)]
    losses = [p.loss.value for p in (plan, *others)]
    return (
        f"at {shorten(plan.flops, digits=2)} FLOPs train N = {plan.n_params} on D = "
        f"{plan.n_tokens} tokens for a mean loss of {plan.loss} ({plan.law}; all methods: N from "
        f"{shorten(min(sizes), digits=2)} to {shorten(max(sizes), digits=2)}, loss from "
        f"{shorten(min(losses))} to {shorten(max(losses))})"
    )
