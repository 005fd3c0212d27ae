"""The benchmark of training counts what it times."""

import json

import pytest

torch = pytest.importorskip("torch")

from benchmarks import train_speed  # noqa: E402
from benchmarks._plain_training import PlainGpt, plain_loop  # noqa: E402
from isoflop.accounting.flops import flops_per_token  # noqa: E402
from isoflop.accounting.params import count_params  # noqa: E402

TINY = train_speed.Size(1, 8, 16, 32)


@pytest.mark.parametrize(("device", "first", "last"), [("cpu", 3, 7), ("cuda", 5, 8.5)])
def test_sizes_span_the_decades_that_are_promised(device, first, last) -> None:
    decades = [
        torch.log10(torch.tensor(float(count_params(size.shape).non_embedding))).item()
        for size in train_speed.SIZES[device]
    ]
    assert decades == sorted(decades)
    assert decades[0] == pytest.approx(first, abs=0.2)
    assert decades[-1] == pytest.approx(last, abs=0.2)
    assert all(size.batch % size.n_ctx == 0 for size in train_speed.SIZES[device])


def test_the_products_of_a_model_are_its_flops_without_attention() -> None:
    for size in train_speed.SIZES["cpu"]:
        products = sum(2 * m * k * n for m, k, n in train_speed.layer_products(size)) / size.batch
        # Forward and backward; the rest is scores and mixing, 12·n_ctx·d a layer at the most.
        rest = flops_per_token(size.shape).matmul - 3 * products
        assert 0 <= rest <= 12 * size.n_layer * size.n_ctx * size.d_model


def test_the_plain_loop_is_a_model_of_the_same_shape_and_learns() -> None:
    shape = train_speed.SIZES["cpu"][1].shape
    matrices = sum(p.numel() for p in PlainGpt(shape).blocks.parameters() if p.dim() == 2)
    assert matrices == count_params(shape).non_embedding
    torch.manual_seed(0)
    text = train_speed.np.arange(5000) % 7
    run = plain_loop(TINY.shape, text, 32, torch.device("cpu"))
    run(3)


def test_a_size_is_measured_beside_the_plain_loop() -> None:
    bench = train_speed.Bench("cpu", 0.02)
    (one, two) = train_speed.measure(TINY, [1, 2], bench)
    assert one.plain_tokens_per_s == two.plain_tokens_per_s
    assert two.ratio == pytest.approx(two.tokens_per_s / two.plain_tokens_per_s)
    expected = two.tokens_per_s * flops_per_token(TINY.shape).matmul
    assert two.flop_per_s == pytest.approx(expected)
    assert two.share_of_peak == pytest.approx(expected / bench.peak)
    assert one.first_seconds > 0
    assert one.plain_first_seconds > 0


def test_the_document_says_machine_and_load(capsys, monkeypatch) -> None:
    monkeypatch.setattr(train_speed, "settle_threads", lambda: None)  # of this whole process
    monkeypatch.setattr(train_speed, "SIZES", {"cpu": (TINY,), "cuda": ()})
    train_speed.main(["--quick", "--device", "cpu", "--pack", "1", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert "load average" in document["machine"]
    assert document["speeds"][0]["n_params"] == 768
    assert document["load_after"] >= 0
