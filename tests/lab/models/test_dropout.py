import pytest

torch = pytest.importorskip("torch")

from small_models import CPU, MODELS, make, shake, tokens  # noqa: E402

from isoflop.lab.models.dropout import Dropout  # noqa: E402


def test_the_asked_share_is_dropped_and_the_mean_kept() -> None:
    dropped = Dropout(0.3, [(0, 0)], 0, CPU)(torch.ones(1, 200_000))
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.01)


def test_masks_depend_on_seed_and_step_alone() -> None:
    ones = torch.ones(2, 500)
    both = Dropout(0.5, [(0, 0), (0, 1)], 3, CPU)(ones)
    assert torch.equal(both[1:], Dropout(0.5, [(0, 1)], 3, CPU)(ones[1:]))
    assert not torch.equal(both[0], both[1])
    assert not torch.equal(both[1:], Dropout(0.5, [(0, 1)], 4, CPU)(ones[1:]))
    draws = Dropout(0.5, [(0, 1)], 3, CPU)
    assert not torch.equal(draws(ones[1:]), draws(ones[1:]))


@pytest.mark.parametrize("name", MODELS)
def test_dropout_of_nothing_changes_nothing_and_of_much_changes_it(name: str) -> None:
    """With a mask of ones every family computes what it computes without dropout."""
    model, pack = make(MODELS[name], [(0, 0)])
    shake(pack)
    inputs = tokens(1, 3)
    places: list[torch.Size] = []

    def keep(states: torch.Tensor) -> torch.Tensor:
        places.append(states.shape)
        return states

    expected = model.logits(pack.weights, inputs)
    torch.testing.assert_close(model.logits(pack.weights, inputs, keep), expected)
    assert len(places) >= 3
    dropped = model.logits(pack.weights, inputs, Dropout(0.5, [(0, 0)], 0, CPU))
    assert not torch.allclose(dropped, expected)
