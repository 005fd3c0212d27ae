"""The `chinchilla` package of PyPI on the same points, where it is installed.

Its BFGS in extended precision, from Hoffmann's grid, on its own log-Huber loss with delta 1e-3.
"""

import tempfile
import time
from functools import partial
from importlib.util import find_spec

import numpy as np

from isoflop.fitting.solve.problem import Problem

NAME = "chinchilla"
MISSING = "not installed, so not timed: pip install chinchilla (it is no dependency of isoflop)"


def is_installed() -> bool:
    return find_spec(NAME) is not None


def fit_with_package(problem: Problem) -> tuple[float, np.ndarray]:
    """Seconds its fit takes on one core, and E, A, B, alpha, beta."""
    from chinchilla import Chinchilla  # pyright: ignore[reportMissingImports]
    from chinchilla._metrics import log_huber  # pyright: ignore[reportMissingImports]

    grid = {
        "e": np.arange(-1.0, 1.5, 0.5).tolist(),
        "a": np.arange(0.0, 30.0, 5.0).tolist(),
        "b": np.arange(0.0, 30.0, 5.0).tolist(),
        "alpha": np.arange(0.0, 2.5, 0.5).tolist(),
        "beta": np.arange(0.0, 2.5, 0.5).tolist(),
    }
    with tempfile.TemporaryDirectory() as folder:
        fitter = Chinchilla(
            folder, param_grid=grid, loss_fn=partial(log_huber, delta=1e-3), log_level=50
        )
        N, D = problem.variables["n_params"], problem.variables["n_tokens"]
        for n_params, n_tokens, loss in zip(N, D, problem.measured, strict=True):
            fitter.append(N=n_params, D=n_tokens, C=6 * n_params * n_tokens, loss=loss)
        start = time.perf_counter()
        fitter.fit(parallel=False)
        seconds = time.perf_counter() - start
    names = ("E", "A", "B", "alpha", "beta")
    return seconds, np.array([float(getattr(fitter, name)) for name in names])
