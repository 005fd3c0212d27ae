"""Every law keeps the contract of `isoflop.testing`; each form has an entry here.

To add a law, add one line to CASES: the law and a list of parameter vectors in its own order
(published ones first; the first is planted and must be recovered from every design). Give
`columns={"n_experts": (1, 8, 64, 512)}` for columns that `isoflop.testing.law_case.POINTS` does
not know, `designs={"name": {column: values}}` where runs on a grid would make no sense,
`recovers="prediction"` where two terms can trade places, and `tolerance=` where the constants
are hard to tell apart. Set `falls_with` on the law for columns that never raise its prediction,
and `residual_scale` where predictions may be negative.
"""

import numpy as np
import pytest

from isoflop.laws.alabdulmohsin import SaturatingLaw, SigmoidLaw
from isoflop.laws.broken import BrokenLaw, ThriceBrokenLaw, TwiceBrokenLaw, UnbrokenLaw
from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.laws.chinchilla_frontier import ChinchillaFrontierLaw
from isoflop.laws.critical_batch import BatchTradeLaw, CriticalBatchLaw
from isoflop.laws.downstream import AccuracyExponentialLaw, AccuracySigmoidLaw, ErrorLaw
from isoflop.laws.embedding import EmbeddingLaw
from isoflop.laws.forms import JOINT_FORMS, SINGLE_FORMS
from isoflop.laws.growth import GrowthLaw
from isoflop.laws.infogain import InfogainLaw
from isoflop.laws.kaplan import KaplanStepsLaw, KaplanTokensConstantLaw, KaplanTokensLaw
from isoflop.laws.kaplan_compute import KaplanComputeLaw
from isoflop.laws.logarithm import LogarithmLaw
from isoflop.laws.over_training import OverTrainingLaw
from isoflop.laws.power import PowerConstantLaw, PowerLaw
from isoflop.laws.precision import PrecisionLaw, WeightPrecisionLaw
from isoflop.laws.quantised import QuantisedLaw
from isoflop.laws.repeated import RepeatedLaw
from isoflop.laws.routed import GranularityLaw, RoutedLaw
from isoflop.laws.saturation import SaturationLaw
from isoflop.laws.transfer import TransferLaw
from isoflop.laws.tuning import BatchLaw, LearningRateLaw
from isoflop.laws.vocabulary import VocabularyLaw
from isoflop.testing import LawCase, LawContract

BITS = {
    "bits_weights": (3, 4, 8, 16),
    "bits_activations": (4, 6, 8, 16),
    "bits_kv": (3, 4, 6, 16),
}

CASES = [
    LawCase(PowerLaw("n_tokens"), [[20.0, 0.095], [400.0, 0.5]]),
    LawCase(PowerConstantLaw("n_tokens"), [[1.7, 410.0, 0.28], [0.4, 30.0, 0.1]]),
    LawCase(GrowthLaw("flops"), [[3.2e-6, 0.73], [4.0e9, -0.2]]),
    LawCase(
        ChinchillaLaw(),
        [[1.8172, 482.01, 2085.43, 0.3478, 0.3658], [1.69, 406.4, 410.7, 0.34, 0.28]],
    ),
    LawCase(KaplanTokensLaw(), [[0.076, 0.103, 6.4e13, 1.8e13], [0.3, 0.25, 2e9, 3e10]]),
    LawCase(
        KaplanTokensConstantLaw(),
        [[1.2, 0.2, 0.3, 6e10, 2e11], [0.5, 0.076, 0.103, 6.4e13, 1.8e13]],
    ),
    LawCase(KaplanStepsLaw(), [[0.077, 0.76, 6.5e13, 2.1e3], [0.2, 0.5, 1e11, 5e2]]),
    LawCase(LogarithmLaw("flops"), [[10.0, 0.15], [4.0, 0.02]]),
    LawCase(SaturatingLaw("n_tokens"), [[400.0, 1e-12, 0.3], [40.0, 3e-11, 0.15]]),
    LawCase(SigmoidLaw("n_tokens"), [[0.2, 0.9, 0.7, 1e5, 0.5], [1.7, 9.0, 2.0, 300.0, 0.25]]),
    LawCase(UnbrokenLaw("n_tokens"), [[1.7, 410.0, 0.28], [0.4, 30.0, 0.1]]),
    LawCase(
        BrokenLaw("n_tokens"), [[0.4, 40.0, 0.1, 0.2, 6e10, 0.6], [0.4, 2.0, 0.05, 5.0, 9e10, 0.06]]
    ),
    LawCase(
        TwiceBrokenLaw("n_tokens"),
        [[0.4, 40.0, 0.1, 0.3, 2e10, 0.3, -0.25, 3e11, 0.3]],
        recovers="prediction",
    ),
    LawCase(
        ThriceBrokenLaw("n_tokens"),
        [[0.4, 40.0, 0.1, 0.3, 1e10, 0.2, -0.25, 8e10, 0.2, 0.4, 5e11, 0.2]],
        recovers="nothing",
    ),
    LawCase(ChinchillaFrontierLaw(), [[1.8172, 1967.9, 0.1783], [0.5, 90.0, 0.06]]),
    LawCase(OverTrainingLaw(), [[1.8366, 212.24, 366.69, 0.13643], [0.5, 60.0, 900.0, 0.09]]),
    LawCase(TransferLaw(), [[1.9e4, 0.18, 0.38], [2.1e5, 0.096, 0.38]]),
    LawCase(InfogainLaw(), [[0.0125, 3e5], [1.1, 2e6]]),
    LawCase(SaturationLaw(), [[0.6, 0.8, 0.1], [1.5, 2.2, 0.02]]),
    LawCase(ErrorLaw(), [[0.857, 2.2065, 0.7146], [1.0, 1.0, 5.0]]),
    LawCase(AccuracyExponentialLaw(), [[1.0, 5.0], [20.0, 1.5]], tolerance=1e-5),
    LawCase(AccuracySigmoidLaw(), [[0.25, 0.95, 4.0, 2.5], [0.0, 1.0, 2.0, 1.5]]),
    LawCase(BatchTradeLaw(), [[4e3, 2e9], [1e5, 3e10]]),
    LawCase(CriticalBatchLaw(), [[2.1e8, 0.21], [3e6, 0.5]]),
    LawCase(
        KaplanComputeLaw(), [[0.05, 2.7e28, 2.1e8, 0.21], [0.12, 1e23, 4e6, 0.4]], tolerance=1e-5
    ),
    # The second has a small N_opt, so that every run has idle parameters.
    LawCase(
        RepeatedLaw(),
        [
            [1.87, 521.0, 1488.0, 0.3527, 0.3527, 15.39, 5.31],
            [1.5, 200.0, 9000.0, 0.32, 0.4, 4.0, 2.0],
        ],
    ),
    LawCase(
        RoutedLaw(),
        [
            [-0.082, -0.108, 0.009, 1.104, 1.847, 314.478],
            [-0.087, -0.136, 0.012, 1.157, 4.175, 477.741],
        ],
        columns={"n_experts": (1, 8, 64, 512)},
    ),
    LawCase(
        GranularityLaw(),
        [
            [0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147],
            [1.5, 100.0, 0.3, 400.0, 0.34, 1500.0, 0.36],
        ],
        columns={"granularity": (1, 2, 8, 32)},
        tolerance=1e-4,
    ),
    LawCase(
        PrecisionLaw(),
        [
            [1.7, 400.0, 1500.0, 0.34, 0.36, 2.7, 2.0, 1.0],
            [2.0, 4299.0, 9000.0, 0.4965, 0.4965, 2.6745, 1.5, 0.96],
        ],
        columns=BITS,
        tolerance=1e-5,
    ),
    LawCase(
        WeightPrecisionLaw(),
        [[1.7, 400.0, 1500.0, 0.34, 0.36, 2.7], [2.0, 4299.0, 9000.0, 0.4965, 0.4965, 2.6745]],
        columns=BITS,
    ),
    LawCase(
        QuantisedLaw(),
        [[0.06, 0.5068, 0.3439, 0.6], [0.5, 0.3, 0.4, 2.0]],
        columns={"bits_post": (8, 5, 4, 3)},
    ),
    LawCase(
        VocabularyLaw(),
        [
            [5.5328, 875.8, 2071.0, 22214.0, 0.6707, 0.4466],
            [4.0, 300.0, 100.0, 900.0, 0.4, 0.33],
        ],
        columns={"n_params_vocabulary": (2e6, 5e7, 2e8, 9e8)},
    ),
    LawCase(
        EmbeddingLaw(),
        [
            [1.8172, 482.01, 2085.43, 0.3478, 0.3658, 47491.0],
            [1.6934, 406.4, 410.7, 0.33917, 0.28491, 1e5],
        ],
        columns={"n_params_non_embedding": (1e5, 1e7, 3e8, 6e9)},
    ),
    LawCase(LearningRateLaw(), [[1.79, -0.713, 0.307], [0.01, -0.2, 0.1]]),
    LawCase(BatchLaw(), [[0.58, 0.571], [300.0, 0.3]]),
]


class TestLaws(LawContract):
    cases = CASES


def test_every_form_is_under_contract() -> None:
    checked = {case.law.name for case in CASES}
    assert (set(JOINT_FORMS) | set(SINGLE_FORMS)) - checked == set()


@pytest.mark.parametrize(
    ("law", "theta"),
    [
        (KaplanTokensLaw(), [0.076, 0.103, 6.4e13, 1.8e13]),
        (KaplanTokensConstantLaw(), [1.5, 0.24, 0.25, 5e8, 1.1e10]),
        (ChinchillaLaw(), [1.8172, 482.01, 2085.43, 0.3478, 0.3658]),
    ],
)
def test_the_closed_optimum_of_a_joint_law_is_where_its_loss_on_a_budget_is_lowest(law, theta):
    theta, flops = np.array(theta), 1e21
    closed = law.derive(theta)
    n_params = closed["G"] * (flops / 6) ** closed["a"]
    around = n_params * np.exp(np.linspace(-1e-3, 1e-3, 2001))
    loss = law.predict(theta, {"n_params": around, "n_tokens": flops / (6 * around)})
    assert abs(int(np.argmin(loss)) - 1000) <= 30
    assert closed["a"] + closed["b"] == pytest.approx(1)
