"""What a study knows of its own runs: learning curves, facts, commands, items of the checklist."""

from collections.abc import Iterable

import numpy as np

from isoflop.accounting.flops import flops_per_token
from isoflop.draw.learning_curves import LearningCurve
from isoflop.plan.analysis.analysis import Analysis
from isoflop.report.study_report import source_name
from isoflop.runs.counted import counted
from isoflop.runs.recipes.words import describe_recipe
from isoflop.store.forced import find_forced
from isoflop.store.study import Curve, Study


def study_curves(
    study: Study, curves: Iterable[Curve], analysis: Analysis
) -> tuple[LearningCurve, ...]:
    """One curve a rung: the trunk of its first seed, before any cooldown; N as the table counts."""
    table = analysis.table
    counted = dict(zip(table.names(), table.numbers("n_params").tolist(), strict=True))
    longest = {}
    for curve in curves:
        best = longest.get(curve.rung)
        if curve.seed == 0 and (best is None or curve.n_tokens > best.n_tokens):
            longest[curve.rung] = curve
    drawn = []
    for rung, curve in longest.items():
        per_token = flops_per_token(study.ladder.rung(rung).architecture).matmul
        trunk = ~curve.cooled & np.isfinite(curve.loss)
        tokens = curve.tokens[trunk]
        drawn.append(
            LearningCurve(rung, counted[curve.run], tokens, tokens * per_token, curve.loss[trunk])
        )
    return tuple(drawn)


def known_items(study: Study) -> dict[str, str]:
    """Items of the checklist that a study knows of its own runs."""
    tokens = f"{study.ladder.evaluation.tokens:,}"
    corpus = source_name(study.ladder.corpus)
    return {
        "C": "matrix products of every layer, forward and backward, counted exactly",
        "eval set": f"the same {tokens} held-out tokens of {corpus} for every run",
        "checkpoint rule": "the last evaluation of every finished run",
    }


def repeat_commands(name: str, analysis: Analysis) -> tuple[str, ...]:
    """What trained and reported the study of a folder's name, and what uses its laws."""
    commands = (
        f"isoflop ladder run {name}/ladder.toml -o {name}",
        f"isoflop report {name} -o {name}/report.html",
        f"isoflop fit {name}/runs.csv --columns n_params=n_params_with_head",
    )
    if not analysis.plans:
        return commands
    law = f"{name}/laws/{analysis.best[0].law.name}.json"
    flops = 10 * analysis.table.numbers("flops").max()
    return (*commands, f"isoflop plan --law {law} --flops {flops:.1e}")


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
