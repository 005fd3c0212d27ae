import hashlib

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load  # noqa: E402

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.lab.models.pack import make_pack  # noqa: E402
from isoflop.lab.weights.final import member_weights, weights_bytes, weights_sha256  # noqa: E402

SHAPE = Architecture(n_layer=1, d_model=8, n_head=1, n_ctx=16, n_vocab=32, tied=False)


def test_a_models_weights_are_those_of_its_views_and_of_the_model_packed_alone() -> None:
    placed = {"base_width": 32, "device": torch.device("cpu"), "dtype": torch.float32}
    pack = make_pack(SHAPE, [(0, 0), (0, 1), (0, 2)], **placed)
    for member in range(3):
        found = member_weights(pack.master, SHAPE, member)
        assert set(found) == set(pack.weights)
        for name, views in pack.weights.items():
            torch.testing.assert_close(found[name], views[member].detach(), rtol=0, atol=0)
        alone = make_pack(SHAPE, [(0, member)], **placed)
        assert weights_sha256(pack.master, SHAPE, member) == weights_sha256(alone.master, SHAPE, 0)
    assert len({weights_sha256(pack.master, SHAPE, member) for member in range(3)}) == 3


def test_the_hash_is_that_of_the_safetensors_file() -> None:
    placed = {"base_width": 32, "device": torch.device("cpu"), "dtype": torch.float32}
    pack = make_pack(SHAPE, [(0, 0)], **placed)
    raw = weights_bytes(member_weights(pack.master, SHAPE, 0))
    assert hashlib.sha256(raw).hexdigest() == weights_sha256(pack.master, SHAPE, 0)
    assert sum(tensor.numel() for tensor in load(raw).values()) == pack.master.numel()
    pack.master[-1] += 1e-6
    assert hashlib.sha256(raw).hexdigest() != weights_sha256(pack.master, SHAPE, 0)
