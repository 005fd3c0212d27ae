"""Step law and DeepSeek against the fact that each states about its own rule."""

import numpy as np
import pytest

from isoflop.laws.catalog import find_published, predict_published


def test_a_model_of_1e9_parameters_on_2e10_tokens() -> None:
    rate = predict_published(find_published("li-2025-lr"), {"n_params": 1e9, "n_tokens": 2e10})
    batch = predict_published(find_published("li-2025-batch"), {"n_tokens": 2e10})
    assert f"{rate.value:.1e}" == "1.0e-03"
    assert f"{batch.value:.1e}" == "4.4e+05"


@pytest.mark.parametrize("flops", [1e18, 1e21, 1e24])
def test_deepseeks_size_times_tokens_is_the_budget(flops: float) -> None:
    size, tokens = (
        predict_published(find_published(f"deepseek-2024-{name}"), {"flops": flops}).value
        for name in ("m-opt", "d-opt")
    )
    assert round(size * tokens / flops, 4) == 1.0001


def test_deepseeks_rate_falls_and_batch_grows_with_compute() -> None:
    at = {"flops": 1e20}
    rate = predict_published(find_published("deepseek-2024-lr"), at).value
    batch = predict_published(find_published("deepseek-2024-batch"), at).value
    assert rate == pytest.approx(0.3118 * 1e20**-0.125)
    assert batch == pytest.approx(0.2920 * 1e20**0.3271)
    assert np.log10(batch) == pytest.approx(6.007, abs=1e-3)
