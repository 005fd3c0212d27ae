"""What a study was forced over: `--force` lets a ladder go on with another recipe or other code.

Finished runs stay as they were trained, so that from then on the study mixes two ways of training.
"""

from collections.abc import Mapping
from typing import Any

from isoflop.runs.counted import counted
from isoflop.runs.finding import Finding
from isoflop.store.manifest import describe_runs
from isoflop.store.study import Study

CODE = "forced-mixing"
_AS_TRAINED = ("lr", "batch_tokens", "steps", "schedule", "dataset", "tokenizer", "n_params")
"""Columns of a run that its ladder decides: another value now is another ladder then."""
_ONLY_MORE_RUNS = (": token_budgets ", " is new", ", now gone")
"""Differences that add or leave out runs and change none."""
MOST_NAMES = 20


def find_forced(study: Study) -> list[Finding]:
    """Report every change a study was forced over, with the runs that were over before it.

    Args:
        study: the study.

    Returns:
        A warning a change where runs were over before it, a note where none was. A change that
        only adds or leaves out runs is none.
    """
    settings = study.settings()
    forced, noted = settings.get("forced", []), settings.get("forced_runs", [])
    if not forced:
        return []
    unknown: list[list[str] | None] = [None] * (len(forced) - len(noted))  # of older studies
    over = study.manifests()
    otherwise = _trained_otherwise(study, over)
    found = []
    for differences, names in zip(forced, [*unknown, *noted], strict=True):
        changed = [each for each in differences if not _only_more_runs(each)]
        if changed:
            before = otherwise if names is None else [run for run in names if run in over]
            found.append(_finding(changed, before, len(over), known=names is not None))
    return found


def _finding(changed: list[str], before: list[str], n_over: int, *, known: bool) -> Finding:
    which = f"{len(before)} of {counted(n_over, 'run')} trained before it: {_list(before)}"
    if not before:
        which = "no run was over before it" if known else "which runs are of before is not recorded"
    return Finding(
        code=CODE,
        severity="note" if known and not before else "warning",
        evidence=f"forced over {'; '.join(changed)}; {which}",
        consequence="what differs between the two ways of training is taken for an effect of scale",
        remedy="train all runs one way in a new folder, or fit those of one side alone "
        "(--drop-rows)",
        runs=tuple(before),
    )


def _trained_otherwise(study: Study, over: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Runs that are not what the ladder of today would train."""
    return [
        plan["run"]
        for plan in describe_runs(study.ladder)
        if plan["run"] in over
        and any(over[plan["run"]].get(key, plan[key]) != plan[key] for key in _AS_TRAINED)
    ]


def _only_more_runs(difference: str) -> bool:
    return difference.startswith("rung ") and any(each in difference for each in _ONLY_MORE_RUNS)


def _list(names: list[str]) -> str:
    left = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {left} more" if left > 0 else "")
