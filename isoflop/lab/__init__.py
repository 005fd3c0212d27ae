"""Training: the only floor that knows torch.

The public names are imported on first use, so that `import isoflop` stays light.
"""

from typing import TYPE_CHECKING

from isoflop.base.errors import MissingExtraError

if TYPE_CHECKING:
    from isoflop.lab.bracket import bracket_rates
    from isoflop.lab.engines.probe import Probe, probe_machine
    from isoflop.lab.one_rung import train_one_rung
    from isoflop.lab.price.price import price_ladder
    from isoflop.lab.tour import tour_ladder
    from isoflop.lab.training import prepare_study, run_ladder

__all__ = [
    "Probe",
    "bracket_rates",
    "prepare_study",
    "price_ladder",
    "probe_machine",
    "run_ladder",
    "tour_ladder",
    "train_one_rung",
]

_HOMES = {
    "Probe": "isoflop.lab.engines.probe",
    "probe_machine": "isoflop.lab.engines.probe",
    "bracket_rates": "isoflop.lab.bracket",
    "price_ladder": "isoflop.lab.price.price",
    "prepare_study": "isoflop.lab.training",
    "run_ladder": "isoflop.lab.training",
    "train_one_rung": "isoflop.lab.one_rung",
    "tour_ladder": "isoflop.lab.tour",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    try:
        return getattr(importlib.import_module(_HOMES[name]), name)
    except ModuleNotFoundError as error:
        if error.name in ("torch", "safetensors"):
            raise MissingExtraError("training", "train") from None
        raise
