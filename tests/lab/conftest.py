"""One thread, as in training, and float32 products in float32 whatever ran before."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)  # two threads on tiny products fight over the cores


@pytest.fixture(autouse=True)
def full_precision() -> Iterator[None]:
    """Training asks for quicker float32 products for the whole process; a test starts without."""
    try:
        import torch
    except ImportError:
        yield
        return
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before)
