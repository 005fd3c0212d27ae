"""Li et al. 2025 (Step law): the learning rate and the batch of lowest loss.

Legend: eta peak learning rate, B tokens a step, N parameters, D tokens.
"""

from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.tuning import BatchLaw, LearningRateLaw

PAPER = "Li et al. 2025 (arXiv 2503.04715)"
ROUNDING = "its constants are printed to two or three digits"

RATE = PublishedLaw(
    name="li-2025-lr",
    law=LearningRateLaw(),
    theta=theta_of(1.79, -0.713, 0.307),
    predicts="lr",
    convention="N non-embedding parameters, D tokens; final rate 1e-5",
    source=f"{PAPER}, Step law",
    printed={"k": 1.79, "p": -0.713, "q": 0.307},
    rounding=ROUNDING,
    note="Means of the authors' 1000 bootstrap fits: 1.797, -.713, .307.",
)

BATCH = PublishedLaw(
    name="li-2025-batch",
    law=BatchLaw(),
    theta=theta_of(0.58, 0.571),
    predicts="batch_tokens",
    convention="D tokens; sequences of 2048",
    source=f"{PAPER}, Step law",
    printed={"k": 0.58, "q": 0.571},
    rounding=ROUNDING,
    note="Whatever the size. Means of the authors' 1000 bootstrap fits: .581, .571.",
)

ENTRIES = (RATE, BATCH)
