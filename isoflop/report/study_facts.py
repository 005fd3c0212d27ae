"""What a study knows of its own runs: learning curves, facts, and items of the fit checklist."""

import numpy as np

from isoflop.accounting.flops import flops_per_token
from isoflop.draw.learning_curves import LearningCurve
from isoflop.plan.analysis.analysis import Analysis
from isoflop.report.study_report import source_name
from isoflop.runs.counted import counted
from isoflop.runs.recipes.words import describe_recipe
from isoflop.store.forced import find_forced
from isoflop.store.study import Study


def study_curves(study: Study, analysis: Analysis) -> tuple[LearningCurve, ...]:
    """One curve a rung: the trunk of its first seed, before any cooldown; N as the table counts."""
    table = analysis.table
    counted = dict(zip(table.names(), table.numbers("n_params").tolist(), strict=True))
    longest = {}
    for curve in study.curves():
        best = longest.get(curve.rung)
        if curve.seed == 0 and (best is None or curve.n_tokens > best.n_tokens):
            longest[curve.rung] = curve
    curves = []
    for rung, curve in longest.items():
        per_token = flops_per_token(study.ladder.rung(rung).architecture).matmul
        trunk = ~curve.cooled & np.isfinite(curve.loss)
        tokens = curve.tokens[trunk]
        curves.append(
            LearningCurve(rung, counted[curve.run], tokens, tokens * per_token, curve.loss[trunk])
        )
    return tuple(curves)


def known_items(study: Study) -> dict[str, str]:
    """Items of the checklist that a study knows of its own runs."""
    tokens = f"{study.ladder.evaluation.tokens:,}"
    corpus = source_name(study.ladder.corpus)
    return {
        "C": "matrix products of every layer, forward and backward, counted exactly",
        "eval set": f"the same {tokens} held-out tokens of {corpus} for every run",
        "checkpoint rule": "the last evaluation of every finished run",
    }


def study_facts(study: Study) -> dict[str, str]:
    """What all runs of a study share, {name: words}."""
    ladder, settings = study.ladder, study.settings()
    seeds = sorted({rung.seeds for rung in ladder.rungs})
    forced = "; and ".join(finding.evidence for finding in find_forced(study))
    return {
        "corpus": f"{source_name(ladder.corpus)}, every {ladder.evaluation.held_out_every}th "
        "document held out",
        "tokenizer": ladder.tokenizer,
        "evaluation": f"the same {ladder.evaluation.tokens:,} held-out tokens for every run",
        "models": f"{counted(len(ladder.rungs), 'size')}; seeds of each: "
        f"{', '.join(map(str, seeds))}",
        **describe_recipe(ladder.recipe),
        "precision": f"{settings.get('precision', 'unknown')} on {settings.get('device', 'cpu')}",
        "seed": str(ladder.seed),
        **({"changed on the way": forced} if forced else {}),
    }
