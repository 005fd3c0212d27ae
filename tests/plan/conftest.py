import numpy as np
import pytest

from isoflop.laws.chinchilla import ChinchillaLaw
from isoflop.runs.table import RunTable

PLANTED = np.array([1.0, 12.0, 120.0, 0.28, 0.38])
"""E, A, B, alpha, beta of the planted toy law, N counted with the head."""


def toy_table(noise: float, seed: int = 0) -> RunTable:
    """An IsoFLOP study at toy scale: five budgets, C = 6ND exactly, three counts of N."""
    rng = np.random.default_rng(seed)
    rows = []
    for flops in np.geomspace(5e11, 8e12, 5):
        for d in (12, 16, 24, 32, 48, 64, 96):
            non_embedding, head = 24 * d * d, 256 * d
            n_params = non_embedding + head
            n_tokens = flops / (6 * n_params)
            mean = ChinchillaLaw().predict(
                PLANTED, {"n_params": np.array([n_params]), "n_tokens": np.array([n_tokens])}
            )[0]
            rows.append(
                {
                    "run": f"d{d}-{flops:.1e}",
                    "n_params": n_params + head,
                    "n_params_non_embedding": non_embedding,
                    "n_params_with_head": n_params,
                    "n_tokens": n_tokens,
                    "flops": flops,
                    "loss": mean * np.exp(noise * rng.standard_normal()),
                }
            )
    return RunTable.from_records(rows, source="toy.csv")


@pytest.fixture(scope="session")
def quiet_table() -> RunTable:
    return toy_table(0.002)
