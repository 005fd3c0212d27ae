"""Healthy studies: IsoFLOP grids and ladders with nothing wrong but noise; no code of isoflop.

Legend: N parameters, D tokens, C = 6ND FLOPs, L loss in nats per token; S studies.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks._planted import (
    GOOD,
    SURFACES,
    Array,
    chinchilla,
    even,
    grouped,
    isoflop,
    ladder,
    student,
    uneven,
)

Row = dict[str, str | float]

DESIGNS = {"iid": GOOD, "ladder": ladder(5.0, 2**0.5), "wider": isoflop(5.0, points=11)}
NOISES = {"even": even, "student": student, "uneven": uneven, "grouped": grouped}
SWEEP = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Learning rates tried, over the best."""
LR_PENALTY = 0.01
"""Loss lost at twice or half the best learning rate, as a share; four times that at four times."""
EXAMPLES = 20_000


def studies(n_studies: int, seed: int = 0) -> Iterator[tuple[str, list[Row]]]:
    """Studies of every surface, design and noise in turn.

    Yields:
        The name of surface, design and noise, and the rows of the run table.
    """
    rng = np.random.default_rng(seed)
    kinds = [
        (surface, design, noise)
        for noise in NOISES
        for design in DESIGNS
        for surface in ("epoch", "chin")
    ]
    for k in range(n_studies):
        surface, design, noise = kinds[k % len(kinds)]
        yield f"{surface}/{design}/{noise}", study(surface, design, noise, rng)


def study(surface: str, design: str, noise: str, rng: np.random.Generator) -> list[Row]:
    """One healthy study as rows: every column recorded, seeds repeated, learning rates swept."""
    theta = SURFACES[surface]
    N, D = DESIGNS[design](theta)
    cells = np.array([len(N) // 6, len(N) // 2, 5 * len(N) // 6])
    tried = np.concatenate(
        [np.arange(len(N)), np.repeat(cells, 2), np.repeat(cells, len(SWEEP) - 1)]
    )
    off = [1.0] * (len(N) + 2 * len(cells)) + [x for x in SWEEP if x != 1] * len(cells)
    rate = np.array(off)
    seed = np.array([0.0] * len(N) + [1.0, 2.0] * len(cells) + [0.0] * (4 * len(cells)))
    N, D = N[tried], D[tried]
    clean = chinchilla(theta, N, D)
    error = NOISES[noise](rng, 1, N, D, clean)[0]
    loss = clean * np.exp(error + LR_PENALTY * np.log2(rate) ** 2)
    return rows_of(N, D, loss, rate=rate, seed=seed, rng=rng)


def rows_of(
    N: Array, D: Array, loss: Array, *, rate: Array, seed: Array, rng: np.random.Generator
) -> list[Row]:
    """Write out every column that a careful study keeps."""
    batch = 2.0**18
    solved = 0.25 + 0.7 / (1 + np.exp(4 * (loss - 2.8)))
    counted = rng.binomial(EXAMPLES, solved) / EXAMPLES
    table = {
        "n_params": N.round(),
        "n_params_non_embedding": (N - 2 * 256 * (N / 96) ** (1 / 3)).round(),  # 256 bytes
        "n_tokens": D.round(),
        "n_tokens_unique": D.round(),
        "flops": 6 * N.round() * D.round(),
        "loss": loss.round(5),
        "batch_tokens": np.full(len(N), batch),
        "steps": np.ceil(D / batch),
        "lr": (0.02 * (N / 1e6) ** -0.3 * rate),
        "seed": seed,
        "schedule_tokens": D.round(),
        "warmup_tokens": (0.01 * D).round(),
        "averaged_tokens": (0.02 * D).round(),
        "accuracy": counted,
        "n_examples": np.full(len(N), float(EXAMPLES)),
    }
    text = {
        "loss_unit": "nats/token",
        "schedule": "cosine",
        "status": "finished",
        "tokenizer": "bytes",
        "eval_set": "held-out",
        "dataset": "one",
        "family": "one",
    }
    return [
        {"run": f"run-{k}", **{name: float(column[k]) for name, column in table.items()}, **text}
        for k in range(len(N))
    ]
