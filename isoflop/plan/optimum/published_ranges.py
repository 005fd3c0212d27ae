"""Between which amounts the runs behind published constants lie, where that is known.

A published law is a formula that ends nowhere; what it says beyond these is extrapolation.
"""

from collections.abc import Mapping

Ranges = Mapping[str, tuple[float, float]]

KAPLAN: Ranges = {"n_params": (768, 1.5e9), "n_tokens": (2.2e7, 2.3e10)}
"""Kaplan et al. 2020, section 2: non-embedding parameters, tokens of WebText2."""

KAPLAN_LOSS = (2.3, 6.9)
"""Losses of converged models of those sizes under the paper's own L(N), nats per token."""

DEEPSEEK: Ranges = {"flops": (1e17, 2e19)}
"""Bi et al. 2024, section 3.1; checked by the authors at 1e20."""

STEP_LAW: Ranges = {"n_params": (2.14e8, 1.08e9), "n_tokens": (4e9, 1e11)}
"""Li et al. 2025: the dense runs that the authors published."""

REPEATED: Ranges = {
    "n_params": (7e6, 8.7e9),
    "n_tokens": (1e8, 9e11),
    "n_tokens_unique": (1e8, 1.78e11),
}
"""Muennighoff et al. 2023: the 182 runs of the fit."""

CHINCHILLA: Ranges = {"n_params": (5.7e7, 1.62e10), "n_tokens": (8.1e8, 3.2e11)}
"""Hoffmann et al. 2022, Figure 4, as digitised by Besiroglu et al. 2024."""

GADRE: Ranges = {"n_params": (1.05e7, 4.12e8), "n_tokens": (2.1e8, 8.3e9)}
"""Gadre et al. 2024: the five runs of each fit; checked by the authors at 6.9e9 parameters."""

RANGES: Mapping[str, Ranges] = {
    "kaplan-2020-l-n": {"n_params": KAPLAN["n_params"]},
    "kaplan-2020-l-d": {"n_tokens": KAPLAN["n_tokens"]},
    "kaplan-2020-nd": KAPLAN,
    "kaplan-2020-ns": {"n_params": KAPLAN["n_params"]},
    "kaplan-2020-lr": {"n_params": KAPLAN["n_params"]},
    "kaplan-2020-b-crit-l": {"loss": KAPLAN_LOSS},
    "deepseek-2024-lr": DEEPSEEK,
    "deepseek-2024-batch": DEEPSEEK,
    "li-2025-lr": STEP_LAW,
    "li-2025-batch": {"n_tokens": STEP_LAW["n_tokens"]},
    "muennighoff-2023-repeated": REPEATED,
    "gadre-2024-c4": GADRE,
    "gadre-2024-redpajama": GADRE,
    "gadre-2024-refinedweb": GADRE,
    "hoffmann-2022": CHINCHILLA,
    "hoffmann-2022-tex": CHINCHILLA,
    "besiroglu-2024": CHINCHILLA,
}
"""{published law: {column: (lowest, highest)}}; a law that is absent has no recorded range."""
