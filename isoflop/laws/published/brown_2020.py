"""Brown et al. 2020 (GPT-3): the trend of loss in compute."""

from isoflop.laws.power import PowerLaw
from isoflop.laws.published.entry import PublishedLaw, growth_theta

L_C = PublishedLaw(
    name="brown-2020-l-c",
    law=PowerLaw("flops"),
    theta=growth_theta(2.57, -0.048) * (1, -1),  # A/C^alpha is a growth of exponent -alpha
    predicts="loss",
    convention="C = 6ND, printed in PF-days",
    source="Brown et al. 2020 (arXiv 2005.14165), trend of loss in training compute",
    printed={"L_1": 2.57, "alpha_C": 0.048},
    printed_units={"L_1": "nats/token at 1 PF-day"},
    rounding="its constants are printed to two or three digits",
    note="L = 2.57·C^-.048, the same as Henighan's (C/3.47e8)^-.048 for language.",
)

ENTRIES = (L_C,)
