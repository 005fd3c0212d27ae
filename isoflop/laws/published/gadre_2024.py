"""Gadre et al. 2024: over-training on three corpora, and the error of 17 tasks from the loss.

Legend: L = E + (a·M^eta + b·M^-eta)·C^-eta, M = D/N; Err = eps - k·exp(-gamma·L).
"""

from isoflop.laws.downstream import ErrorLaw
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.laws.published.entry import PublishedLaw, theta_of

PAPER = "Gadre et al. 2024 (arXiv 2403.08540)"
CONVENTION = "N all parameters; C = 6ND; loss on C4 validation, nats per GPT-NeoX token"
RERUN = (
    "The authors' least squares in loss on their five runs of {corpus} (four sizes at M = 20, the "
    "smallest at M = 320), rerun for this catalog in full precision."
)


def _loss(name: str, corpus: str, E: float, a: float, b: float, eta: float) -> PublishedLaw:
    """One corpus."""
    return PublishedLaw(
        name=f"gadre-2024-{name}",
        law=OverTrainingLaw(),
        theta=theta_of(E, a, b, eta),
        predicts="loss",
        convention=CONVENTION,
        source=f"{PAPER}, {corpus}",
        printed={"E": E, "a": a, "b": b, "eta": eta},
        printed_units={"E": "nats/token"},
        note=RERUN.format(corpus=corpus),
    )


ERROR = PublishedLaw(
    name="gadre-2024-error",
    law=ErrorLaw(),
    theta=theta_of(0.85699184, 2.2064917, 0.71459090),
    predicts="error",
    convention="mean top-1 error over 17 tasks; loss on C4 validation, nats per GPT-NeoX token",
    source=f"{PAPER}, RedPajama, 17 tasks",
    printed={"eps": 0.85699184, "k": 2.2064917, "gamma": 0.71459090},
    note="The five runs and one of 1.4B parameters at M = 20, rerun for this catalog; predicts the "
    "error of 1.4B at M = 640 within 3.6 % and of 6.9B at M = 20 within .05 %.",
)

ENTRIES = (
    _loss("c4", "C4", 1.5082605, 141.27725, 189.51551, 0.12123612),
    _loss("redpajama", "RedPajama", 1.8366484, 212.23611, 366.68717, 0.13642535),
    _loss("refinedweb", "RefinedWeb", 1.7344621, 157.11628, 246.20668, 0.12719742),
    ERROR,
)
