"""Human level of the benchmarks of GPT-3's paper, as the slides of Caballero take them.

None was verified against the benchmark's own paper: they are defaults to be replaced, and every
result that rests on one says so.
"""

from collections.abc import Iterable, Mapping

from isoflop.base.errors import InputError, UnknownNameError

HUMAN_LEVELS: Mapping[str, float] = {
    "LAMBADA": 95.0,
    "TriviaQA": 80.0,
    "CoQA": 88.8,
    "Winogrande": 94.0,
    "SuperGLUE": 89.8,
    "ANLI-R1": 91.0,
    "ANLI-R2": 91.0,
    "ANLI-R3": 91.0,
    "SAT analogies": 57.0,
}
"""{task: percent}, from memory, unverified."""


def choose_levels(
    tasks: Iterable[str], given: Mapping[str, float], *, default: float | None = None
) -> tuple[dict[str, float], frozenset[str]]:
    """Return the human level of each task that has one, and which of them nobody verified.

    Args:
        tasks: names in the table of scores.
        given: {task: percent} by the user; a name may stand for all that begin with it and a
            hyphen, as ANLI for ANLI-R1.
        default: percent of every task without a level.

    Raises:
        UnknownNameError: a level for a task that is not in the table.
        InputError: a level outside 0 to 100.

    >>> choose_levels(["CoQA", "mine"], {"mine": 50})
    ({'CoQA': 88.8, 'mine': 50}, frozenset({'CoQA'}))
    """
    names = list(dict.fromkeys(tasks))
    for task, level in {**given, **({} if default is None else {"every task": default})}.items():
        if not 0 < level <= 100:
            raise InputError(
                f"a human level lies between 0 and 100 percent, found {level:g} for {task}"
            )
    named = {name: _level_of(name, given) for name in names}
    unknown = [task for task in given if not any(_stands_for(task, name) for name in names)]
    if unknown:
        raise UnknownNameError("task", unknown[0], names)
    levels: dict[str, float] = {}
    unverified = set()
    for name in names:
        level = named[name] if named[name] is not None else default
        if level is None and name in HUMAN_LEVELS:
            level = HUMAN_LEVELS[name]
            unverified.add(name)
        if level is not None:
            levels[name] = level
    return levels, frozenset(unverified)


def _level_of(name: str, given: Mapping[str, float]) -> float | None:
    if name in given:
        return given[name]
    return next((level for task, level in given.items() if _stands_for(task, name)), None)


def _stands_for(task: str, name: str) -> bool:
    return name == task or name.startswith(f"{task}-")
