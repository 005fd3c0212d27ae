"""Which constants a formula is linear in, all at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from isoflop.laws.formula.parser import Step
from isoflop.laws.formula.steps import run_steps


@dataclass(frozen=True)
class Dependence:
    """How a part of a formula depends on names.

    Args:
        present: names it contains.
        curved: names it is not affine in.
        together: pairs that multiply each other.
    """

    present: frozenset[str] = frozenset()
    curved: frozenset[str] = frozenset()
    together: frozenset[frozenset[str]] = frozenset()


def linear_names(steps: Sequence[Step], candidates: Sequence[str]) -> tuple[str, ...]:
    """Names in which a formula is jointly affine: they never meet, nor stand in a function.

    Of names that multiply each other, those stay that meet the fewest.

    >>> from isoflop.laws.formula.parser import parse_formula
    >>> linear_names(parse_formula("E + k*(A*x**-a + B)"), ("E", "k", "A", "a", "B"))
    ('E', 'A', 'B')
    """

    def push(step: Step) -> Dependence:
        named = step.kind == "name" and step.text in candidates
        return Dependence(frozenset([step.text]) if named else frozenset())

    found = run_steps(steps, push, _call_dependence)
    left = [name for name in candidates if name in found.present - found.curved]
    while True:
        meets = {n: sum(frozenset((n, other)) in found.together for other in left) for n in left}
        worst = max(left, key=lambda name: meets[name], default=None)
        if worst is None or not meets[worst]:
            return tuple(left)
        left.remove(worst)


def _call_dependence(step: Step, given: list[Dependence]) -> Dependence:
    present = frozenset().union(*(part.present for part in given))
    curved = frozenset().union(*(part.curved for part in given))
    together = frozenset().union(*(part.together for part in given))
    if step.text in ("+", "-", "neg"):
        return Dependence(present, curved, together)
    if step.text in ("*", "/"):
        first, second = given
        pairs = {frozenset((a, b)) for a in first.present for b in second.present if a != b}
        bent = second.present if step.text == "/" else first.present & second.present
        return Dependence(present, curved | bent, together | pairs)
    return Dependence(present, present, together)
