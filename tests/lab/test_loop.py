import numpy as np
import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.lab.data.stream import TokenStream, held_out_windows  # noqa: E402
from isoflop.lab.loop import Trainer  # noqa: E402
from isoflop.lab.models.pack import make_pack  # noqa: E402
from isoflop.lab.optimizer import AdamW  # noqa: E402
from isoflop.runs.ladders.ladder import Recipe, Rung  # noqa: E402

CPU = torch.device("cpu")
SHAPE = Architecture(
    n_layer=2, d_model=16, n_head=2, n_ctx=16, n_vocab=64, tied=False, positions="rotary"
)
RECIPE = Recipe(batch_tokens=64, lr=0.004)
TEXT = (np.arange(20_000) ** 2 // 7 % 64).astype(np.uint16)
HELD_OUT = torch.from_numpy(held_out_windows(TEXT[::-1].copy(), 16, 1024).astype(np.int64))


def make_trainer(seeds: list[int], dtype=torch.float32) -> Trainer:
    rung = Rung("a", SHAPE, len(seeds), (6400,))
    streams = [TokenStream(TEXT, 16, (0, seed)) for seed in seeds]
    roots = [(0, seed) for seed in seeds]
    return Trainer(rung, RECIPE, streams, seeds=roots, device=CPU, dtype=dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.02)])
def test_packed_models_train_like_models_alone(dtype, tolerance) -> None:
    packed = make_trainer([0, 1], dtype)
    together = packed.advance(0, 100, lambda step: 0.004).train_loss
    for seed in (0, 1):
        alone = make_trainer([seed], dtype)
        loss = alone.advance(0, 100, lambda step: 0.004).train_loss[0]
        assert together[seed] == pytest.approx(loss, rel=tolerance)
        held_out = alone.held_out(HELD_OUT)[0]
        assert packed.held_out(HELD_OUT)[seed] == pytest.approx(held_out, rel=tolerance)


def test_training_learns() -> None:
    trainer = make_trainer([0])
    before = trainer.held_out(HELD_OUT)[0]
    trainer.advance(0, 200, lambda step: 0.004)
    assert before == pytest.approx(np.log(64), abs=0.1)
    assert trainer.held_out(HELD_OUT)[0] < before - 1


def test_steps_cut_anywhere_and_restored_give_the_same_bits() -> None:
    whole, parts = make_trainer([0, 1]), make_trainer([0, 1])
    whole.advance(0, 90, lambda step: 0.004)
    parts.advance(0, 37, lambda step: 0.004)
    state = parts.optimizer.state()
    parts.advance(37, 60, lambda step: 0.01)
    parts.optimizer.restore(state)
    parts.advance(37, 90, lambda step: 0.004)
    for name, tensor in whole.optimizer.state().items():
        assert torch.equal(tensor, parts.optimizer.state()[name])


def test_a_model_that_is_not_a_number_leaves_its_neighbour_alone() -> None:
    trainer, healthy = make_trainer([0, 1]), make_trainer([0, 1])
    with torch.no_grad():
        trainer._pack.master[: SHAPE.n_vocab * SHAPE.d_model] = torch.nan
    segment = trainer.advance(5, 80, lambda step: 0.004)
    assert segment.diverged == {0: 5}
    expected = healthy.advance(5, 80, lambda step: 0.004).train_loss[1]
    assert segment.train_loss[1] == expected


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_the_optimizer_is_adamw(weight_decay) -> None:
    recipe = Recipe(lr=0.01, weight_decay=weight_decay)
    pack = make_pack(SHAPE, [(0, 0)], base_width=32, device=CPU, dtype=torch.float32)
    pack.lr_multipliers.fill_(1.0)
    reference = pack.master.clone().requires_grad_()
    ours = AdamW(pack, recipe)
    theirs = torch.optim.AdamW(
        [reference], lr=0.01, betas=(0.9, 0.99), eps=1e-8, weight_decay=weight_decay
    )
    generator = torch.Generator().manual_seed(0)
    for step in range(20):
        gradient = torch.randn(reference.shape, generator=generator)
        pack.gradient.copy_(gradient)
        reference.grad = gradient
        ours.step(step, 0.01)
        theirs.step()
    torch.testing.assert_close(pack.master, reference.detach(), rtol=1e-5, atol=1e-6)
