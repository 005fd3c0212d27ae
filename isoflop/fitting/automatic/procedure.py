"""How the automatic choice comes about, in words, for the fit report checklist."""

from isoflop.fitting.automatic.trend import ALPHA, DAMPINGS, NOISES, ROUGHNESSES
from isoflop.fitting.procedure import code_sha256


def automatic_procedure() -> dict[str, str]:
    """State the search that is none: sums over a grid of dampings, wanderings and noises."""
    n_points = len(DAMPINGS) * len(ROUGHNESSES) * len(NOISES)
    return {
        "weights": "points of the curve's end alike, but for the noise each stands for; the "
        "formula for the whole curve by how it foresaw that end",
        "loss": "likelihood of normal residuals on the log scale, level and slope integrated out",
        "optimiser": f"none: probabilities summed over a grid of {n_points} dampings, wanderings "
        "and noises",
        "starts": "none: a grid",
        "bounds": f"damping in [{DAMPINGS[0]:g}, {DAMPINGS[-1]:g}], "
        f"expected at {ALPHA:g} − |slope|; "
        f"wandering in [{ROUGHNESSES[0]:.3g}, {ROUGHNESSES[-1]:.3g}] of the slope; "
        f"noise in [{NOISES[0]:.3g}, {NOISES[-1]:.3g}]",
        "tolerance": "none: sums",
        "selection": "none: every form averaged by its probability",
        "bootstrap unit": "point of the curve; intervals of Student's t, nothing resampled",
        "code": code_sha256(),
    }
