"""The forms a fit may take, by name."""

from collections.abc import Callable, Mapping

from isoflop.base.errors import InputError, UnknownNameError
from isoflop.laws.alabdulmohsin import SaturatingLaw, SigmoidLaw
from isoflop.laws.broken import BrokenLaw, ThriceBrokenLaw, TwiceBrokenLaw, UnbrokenLaw
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.chinchilla_frontier import ChinchillaFrontierLaw
from isoflop.laws.critical_batch import BatchTradeLaw, CriticalBatchLaw
from isoflop.laws.downstream import AccuracyExponentialLaw, AccuracySigmoidLaw, ErrorLaw
from isoflop.laws.embedding import EmbeddingLaw
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.infogain import InfogainLaw
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensConstantLaw, KaplanTokensLaw
from isoflop.laws.kaplan_compute import KaplanComputeLaw
from isoflop.laws.law import AbstractLaw
from isoflop.laws.logarithm import LogarithmLaw
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.laws.precision import PrecisionLaw, WeightPrecisionLaw
from isoflop.laws.quantised import QuantisedLaw
from isoflop.laws.registered import find_registered, registered_names
from isoflop.laws.repeated import RepeatedLaw
from isoflop.laws.routed import GranularityLaw, RoutedLaw
from isoflop.laws.saturation import SaturationLaw
from isoflop.laws.schedules.annealing import AnnealingLaw
from isoflop.laws.schedules.multi_power import MultiPowerLaw
from isoflop.laws.transfer import TransferLaw
from isoflop.laws.tuning import BatchLaw, LearningRateLaw
from isoflop.laws.vocabulary import VocabularyLaw
from isoflop.runs.columns import NUMBER_COLUMNS, TEXT_COLUMNS

JOINT_FORMS: Mapping[str, AbstractLaw] = {
    law.name: law
    for law in (
        ChinchillaLaw(),
        ChinchillaFrontierLaw(),
        OverTrainingLaw(),
        KaplanTokensLaw(),
        KaplanTokensConstantLaw(),
        KaplanStepsLaw(),
        KaplanComputeLaw(),
        CriticalBatchLaw(),
        BatchTradeLaw(),
        RepeatedLaw(),
        TransferLaw(),
        InfogainLaw(),
        SaturationLaw(),
        ErrorLaw(),
        AccuracyExponentialLaw(),
        AccuracySigmoidLaw(),
        RoutedLaw(),
        GranularityLaw(),
        PrecisionLaw(),
        WeightPrecisionLaw(),
        QuantisedLaw(),
        VocabularyLaw(),
        EmbeddingLaw(),
        LearningRateLaw(),
        BatchLaw(),
    )
}
"""Forms whose variables are their own."""

SINGLE_FORMS: Mapping[str, Callable[[str], AbstractLaw]] = {
    PowerLaw.name: PowerLaw,
    PowerConstantLaw.name: PowerConstantLaw,
    LogarithmLaw.name: LogarithmLaw,
    SaturatingLaw.name: SaturatingLaw,
    SigmoidLaw.name: SigmoidLaw,
    UnbrokenLaw.name: UnbrokenLaw,
    BrokenLaw.name: BrokenLaw,
    TwiceBrokenLaw.name: TwiceBrokenLaw,
    ThriceBrokenLaw.name: ThriceBrokenLaw,
}
"""Forms in one variable, any number column of the runs, which must be named."""

AMOUNT_FORMS: Mapping[str, type[AbstractLaw]] = {GrowthLaw.name: GrowthLaw}
"""Forms of amounts rather than losses: published, planned with, not offered to fits of a loss."""

PRESETS: Mapping[str, tuple[str, str]] = {
    "kaplan-n": ("power", "n_params"),
    "kaplan-d": ("power", "n_tokens"),
    "kaplan-c": ("power", "flops"),
    "per-token": ("power-constant", "position"),
}
"""One-variable forms under the name of their variable: {name: (form, variable)}."""

CURVE_FORMS: Mapping[str, type[AbstractLaw]] = {
    MultiPowerLaw.name: MultiPowerLaw,
    AnnealingLaw.name: AnnealingLaw,
}
"""Forms of a loss curve, made with the learning-rate schedules of its runs, in Python."""

SYNONYMS: Mapping[str, str] = {
    "power-law": "power",
    "power-law-constant": "power-constant",
    "power-law-plus-constant": "power-constant",
    "power-plus-constant": "power-constant",
    "power-offset": "power-constant",
    "kaplan": "kaplan-nd",
    "kaplan-l-n-d": "kaplan-nd",
    "kaplan-l-n-s": "kaplan-ns",
    "kaplan-l-n": "kaplan-n",
    "kaplan-l-d": "kaplan-d",
    "kaplan-l-c": "kaplan-c",
    "kaplan-l-c-min": "kaplan-c-min",
    "b-crit": "critical-batch",
    "gadre": "over-training",
    "abnar": "saturation",
    "log": "logarithm",
    "m1": "power",
    "m2": "power-constant",
    "bnsl": "bnsl1",
    "broken": "bnsl1",
    "hoffmann": "chinchilla",
    "clark": "routed",
    "krajewski": "granularity",
    "kumar": "precision",
    "tao": "vocabulary",
    "pearce": "embedding",
    "step-law": "learning-rate",
}


def form_names() -> tuple[str, ...]:
    """Return the names `find_form` knows."""
    return (*SINGLE_FORMS, *PRESETS, *JOINT_FORMS)


def canonical_name(name: str) -> str:
    """Return a form's own name for a synonym or another spelling of it.

    >>> canonical_name("Power_Law")
    'power'
    """
    key = name.strip().lower().replace("_", "-")
    return SYNONYMS.get(key, key)


def find_form(name: str, *, over: str | None = None) -> AbstractLaw:
    """Return the law of that name.

    Args:
        name: such as `chinchilla`; case, `_` and a few synonyms are forgiven.
        over: the variable of a one-variable form.

    Raises:
        UnknownNameError: no such form.
        InputError: a one-variable form without its variable.

    >>> find_form("chinchilla").form
    'E + A/n_params**alpha + B/n_tokens**beta'
    >>> find_form("per-token").form
    'E + A/position**alpha'
    """
    key = canonical_name(name)
    if key in PRESETS:
        if over not in (None, PRESETS[key][1]):
            raise InputError(f"{key} is a law of {PRESETS[key][1]}, not {over}")
        key, over = PRESETS[key]
    if key in JOINT_FORMS and over is not None and over not in JOINT_FORMS[key].variables:
        raise InputError(f"{key} is a law of {', '.join(JOINT_FORMS[key].variables)}, not {over}")
    if key in JOINT_FORMS:
        return JOINT_FORMS[key]
    if key in CURVE_FORMS:
        raise InputError(
            f"{key} is a law of learning-rate schedules; make it with them in Python, "
            f"{CURVE_FORMS[key].__name__}((schedule, ...)), and fit with fit_parametric"
        )
    if key not in SINGLE_FORMS:
        return _registered_form(name.strip(), over)
    if over is None:
        raise InputError(f"{key} is a law of one variable; say which, such as --over flops")
    if over in TEXT_COLUMNS:
        raise UnknownNameError("variable", over, NUMBER_COLUMNS)
    return SINGLE_FORMS[key](over)


def find_class(name: str) -> type[AbstractLaw]:
    """Return the class of a law by its exact name, isoflop's own or a registered one.

    Raises:
        UnknownNameError: no such law.
    """
    if name in JOINT_FORMS:
        return type(JOINT_FORMS[name])
    if name in SINGLE_FORMS:
        return type(SINGLE_FORMS[name]("flops"))
    found = AMOUNT_FORMS.get(name) or CURVE_FORMS.get(name) or find_registered(name)
    if found is None:
        raise UnknownNameError("law", name, (*form_names(), *registered_names()))
    return found


def _registered_form(name: str, over: str | None) -> AbstractLaw:
    """Make a law that is not isoflop's own: with its variable if it takes one."""
    law_class = find_registered(name)
    if law_class is None:
        raise UnknownNameError("law", name, (*form_names(), *registered_names()))
    single = "variable" in law_class.__dataclass_fields__
    if single and over is None:
        raise InputError(f"{name} is a law of one variable; say which, such as --over flops")
    return law_class(over) if single else law_class()  # pyright: ignore[reportCallIssue]
