"""The fit report checklist: what a reader needs to repeat a fit, and which of it is not stated.

Of 51 papers on scaling laws many omit optimiser, start, loss or how they count FLOPs and parameters
(Li et al. 2025); the items are that survey's, with the loss's unit and evaluation set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from isoflop.base.errors import InputError, RefusalError, UnknownNameError
from isoflop.fitting.automatic.automatic import AutomaticFit
from isoflop.fitting.fit import Fit
from isoflop.fitting.frontiers.frontier import Frontier

ITEMS: Mapping[str, str] = {
    "form": "the formula fitted",
    "N": "which parameters N counts",
    "D": "which data D counts",
    "C": "how compute was counted",
    "ranges": "of every variable and the loss",
    "loss unit": "unit of the loss",
    "eval set": "what the loss was measured on",
    "checkpoint rule": "which loss of a run stands for it",
    "weights": "of the runs",
    "loss": "what was minimised",
    "optimiser": "what minimised it",
    "starts": "from how many starts",
    "bounds": "of the constants",
    "tolerance": "at which the search ended",
    "selection": "which end was taken",
    "bootstrap unit": "what the intervals resample or rest on",
    "backtest": "runs hidden and predicted",
    "data": "fingerprint of the runs",
    "code": "fingerprint of the code",
}
"""{item: what it says}, in the order of the report."""

UNIT_ASSUMED = " (assumed)"
MENTIONED = 0.01
"""Probability from which a form that was averaged is listed."""


@dataclass(frozen=True)
class Item:
    """One line of the checklist.

    Args:
        name: one of `ITEMS`.
        value: what is stated, "" for nothing.
        by_user: whether the user stated it, not the fit's record.
    """

    name: str
    value: str
    by_user: bool = False


@dataclass(frozen=True)
class Checklist:
    """What a fit states.

    Args:
        items: one of each of `ITEMS`, in order.
    """

    items: tuple[Item, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the items that are not stated."""
        return tuple(item.name for item in self.items if not item.value)

    def to_dict(self) -> dict[str, object]:
        """Return a JSON object."""
        stated = {item.name: item.value or None for item in self.items}
        by_user = [item.name for item in self.items if item.by_user]
        return {"items": stated, "by_user": by_user, "missing": list(self.missing)}

    def require_complete(self) -> None:
        """Insist that nothing is missing.

        Raises:
            RefusalError: something is; lists all of it.
        """
        if self.missing:
            listed = "; ".join(f"{name} ({ITEMS[name]})" for name in self.missing)
            raise RefusalError(
                f"{len(self.missing)} of {len(ITEMS)} items of the fit report are not stated: "
                f'{listed}; state what you know with --state "{self.missing[0]}=…"'
            )


@dataclass(frozen=True)
class Stated:
    """What the user states of a fit, and whether an incomplete report is refused.

    Args:
        items: {one of `ITEMS`: text}, such as the checkpoint rule.
        strict: whether to refuse.
    """

    items: Mapping[str, str] = field(default_factory=dict)
    strict: bool = False

    def __post_init__(self) -> None:
        for name in self.items:
            if name not in ITEMS:
                raise UnknownNameError("item of the checklist", name, ITEMS)


def state_fit(
    fit: object, *, known: Mapping[str, str] | None = None, stated: Stated | None = None
) -> Checklist:
    """State what is known of a fit; what the user states wins.

    Args:
        fit: a fit or a frontier, fresh or read from a file.
        known: {item: text} of what its surroundings tell, such as a backtest or a study.
        stated: what only the user knows.

    Raises:
        InputError: not a fit.
        RefusalError: the list is incomplete, and that was to be refused.
    """
    if not isinstance(fit, Fit | Frontier | AutomaticFit):
        raise InputError(f"the fit report checklist is of a fit, found {type(fit).__name__}")
    stated = stated or Stated()
    given = stated.items
    found = {**_of_data(fit), **fit.procedure, **_of_search(fit), **(known or {})}
    checklist = Checklist(
        tuple(Item(name, given.get(name) or found.get(name, ""), name in given) for name in ITEMS)
    )
    if stated.strict:
        checklist.require_complete()
    return checklist


def parse_statements(texts: Sequence[str]) -> dict[str, str]:
    """Read `item=text` of the command line.

    >>> parse_statements(["checkpoint rule=final", "C=matmul = 6ND + head"])
    {'checkpoint rule': 'final', 'C': 'matmul = 6ND + head'}
    """
    stated: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value.strip():
            raise InputError(f'--state wants "item=text", found {text!r}')
        if name.strip() not in ITEMS:
            raise UnknownNameError("item of the checklist", name.strip(), ITEMS)
        stated[name.strip()] = value.strip()
    return stated


def _of_data(fit: Fit | Frontier | AutomaticFit) -> dict[str, str]:
    data = fit.data
    if data is None:  # bare arrays
        return {}
    ranges = (f"{name} {low:.4g} to {high:.4g}" for name, (low, high) in data.ranges.items())
    rows = [f"{data.n_rows} runs", *data.notes]
    return {
        **data.definitions,
        "ranges": "; ".join(ranges),
        "loss unit": "" if data.loss_unit.endswith(UNIT_ASSUMED) else data.loss_unit,
        "data": f"sha256 {data.sha256}; {'; '.join(rows)}",
    }


def _of_search(fit: Fit | Frontier | AutomaticFit) -> dict[str, str]:
    if isinstance(fit, AutomaticFit):
        shares = (
            f"{name} {share:.2g}" for name, share in fit.weights.items() if share >= MENTIONED
        )
        return {"form": f"{fit.form}; {', '.join(shares)}"}
    if isinstance(fit, Frontier):
        return {
            "form": "N* = k_N·C^a, D* = k_D·C^b",
            "weights": "equal",
            "loss": "squared residuals of log N* and log D*",
            "starts": "none: closed form",
            "bootstrap unit": f"model size, {len(fit.draws)} resamples" if len(fit.draws) else "",
        }
    held = "".join(f"; {name} held at {value:g}" for name, value in fit.held.items())
    k, code = fit.noise_power, fit.procedure.get("code", "")
    versions = ", ".join(f"{name} {version}" for name, version in fit.versions.items())
    told = {
        "form": f"{fit.law.response} = {fit.law.form}{held}",
        "loss": _objective(fit),
        "starts": f"{fit.basins.n_starts} random, seed {fit.seed}",
    }
    return {
        **told,
        **{item: fit.procedure[item] for item in told if item in fit.procedure},
        "weights": f"by noise in proportion to {fit.law.response}^{k:.3g}" if k else "equal",
        "bootstrap unit": _unit(fit),
        "code": f"sha256 {code}; {versions}" if code else "",
    }


def _objective(fit: Fit) -> str:
    objective = fit.objective
    delta = "" if objective.kind == "squared" else f", delta {objective.threshold:.4g}"
    return f"sum of {objective.kind} losses of residuals on the {objective.scale} scale{delta}"


def _unit(fit: Fit) -> str:
    """What the intervals take as independent; nothing where there are none."""
    if not len(fit.draws):
        return ""
    unit = f"groups of equal {fit.interval.cluster}" if fit.interval.cluster else "run"
    return f"{unit}; {fit.interval.estimator} intervals, {len(fit.draws)} draws"
