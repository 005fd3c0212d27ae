"""What a study was forced over: `--force` lets a ladder go on with another recipe or other code.

Finished runs stay as they were trained, so that from then on the study mixes two ways of training.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from isoflop.runs.counted import counted
from isoflop.runs.finding import Finding
from isoflop.store.manifest import describe_runs
from isoflop.store.study import Study

CODE = "forced-mixing"
_AS_TRAINED = ("lr", "batch_tokens", "steps", "schedule", "dataset", "tokenizer", "n_params")
"""Columns of a run that its ladder decides: another value now is another ladder then."""
_ONLY_MORE_RUNS = (": token_budgets ", ": seeds ", " is new", ", now gone")
"""Differences that add or leave out runs and change none."""
MOST_NAMES = 20


def find_forced(study: Study, runs: Collection[str] | None = None) -> list[Finding]:
    """Report every change a study was forced over, with the runs that were over before it.

    Args:
        study: the study.
        runs: names of the runs it is asked of, such as all in the folder; those of its ladder
            that are over if None.

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
    asked = dict.fromkeys(over if runs is None else runs)
    otherwise, left = _trained_otherwise(study, over), _left_out(study, asked)
    found, some_left = [], False
    for differences, names in zip(forced, [*unknown, *noted], strict=True):
        changed = [each for each in differences if not _only_more_runs(each)]
        some_left = some_left or any(each.startswith("rung ") for each in differences)
        if changed:
            known = [*(otherwise if names is None else names), *(left if some_left else ())]
            before = [run for run in dict.fromkeys(known) if run in asked]
            found.append(_finding(changed, before, len(asked), known=names is not None))
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


def _left_out(study: Study, runs: Iterable[str]) -> list[str]:
    """Runs that the ladder of today has no more: over before the change that left them out."""
    planned = {run.id for run in study.ladder.runs()}
    return [run for run in runs if run not in planned]


def _only_more_runs(difference: str) -> bool:
    return difference.startswith("rung ") and any(each in difference for each in _ONLY_MORE_RUNS)


def _list(names: list[str]) -> str:
    left = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {left} more" if left > 0 else "")
