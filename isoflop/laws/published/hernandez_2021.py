"""Hernandez et al. 2021: pretraining on text, counted in characters of Python.

Legend: D_T = k·D_F^alpha·N^beta, D_F and D_T in characters, N non-embedding parameters.
"""

from isoflop.laws.published.entry import PublishedLaw, theta_of
from isoflop.laws.transfer import TransferLaw

NOTE = (
    "For D_F up to a tenth of the data that brings a model from scratch to 99 % of its performance "
    "on infinite data; models of 1M parameters end worse than from scratch on 1e8 characters."
)


def _transfer(name: str, pretraining: str, k: float, alpha: float, note: str) -> PublishedLaw:
    """One pretraining mixture."""
    return PublishedLaw(
        name=f"hernandez-2021-{name}",
        law=TransferLaw(),
        theta=theta_of(k, alpha, 0.38),
        predicts="n_transferred",
        convention="N non-embedding (from memory, unverified); D_F and D_T in characters of Python",
        source=f"Hernandez et al. 2021 (arXiv 2102.01293), {pretraining} to Python",
        printed={"k": k, "alpha": alpha, "beta": 0.38},
        printed_units={"k": "characters"},
        rounding="its constants are printed to two digits",
        note=f"{NOTE} {note}",
    )


ENTRIES = (
    _transfer(
        "text",
        "text",
        1.9e4,
        0.18,
        "At N 4e7 and D_F 3e5 it multiplies the data by 476; the paper's worked example says 1000.",
    ),
    _transfer("text-and-code", "half text, half other code", 2.1e5, 0.096, "beta is the same."),
)
