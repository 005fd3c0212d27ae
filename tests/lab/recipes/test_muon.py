"""Muon against the polar factor by SVD and against torch's own optimizer."""

import pytest

torch = pytest.importorskip("torch")

from isoflop.accounting.architecture import Architecture  # noqa: E402
from isoflop.lab.models.pack import Pack, make_pack  # noqa: E402
from isoflop.lab.recipes.muon import Muon  # noqa: E402
from isoflop.lab.recipes.newton_schulz import CLASSICAL, orthogonalise  # noqa: E402
from isoflop.lab.recipes.optimizers import make_optimizer  # noqa: E402
from isoflop.runs.ladders.ladder import Recipe  # noqa: E402

CPU = torch.device("cpu")
SHAPE = Architecture(n_layer=2, d_model=16, n_head=2, n_ctx=16, n_vocab=64, tied=False)
RECIPE = Recipe(lr=0.004, optimizer="muon", muon_lr=0.02)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def make(seeds: int = 2) -> Pack:
    return make_pack(
        SHAPE, [(0, seed) for seed in range(seeds)], base_width=32, device=CPU, dtype=torch.float32
    )


@pytest.mark.parametrize("shape", [(3, 12, 12), (3, 8, 24), (3, 24, 8)])
def test_the_classical_iteration_ends_at_the_polar_factor(shape) -> None:
    matrices = random(*shape)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    torch.testing.assert_close(
        orthogonalise(matrices, CLASSICAL, 40), left @ right, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("shape", [(3, 12, 12), (3, 8, 24), (3, 24, 8)])
def test_muons_five_steps_keep_the_singular_vectors_and_level_the_values(shape) -> None:
    matrices = random(*shape)
    left, values, right = torch.linalg.svd(matrices, full_matrices=False)
    found = left.mT @ orthogonalise(matrices) @ right.mT
    diagonal = torch.diagonal(found, dim1=1, dim2=2)
    torch.testing.assert_close(found, torch.diag_embed(diagonal), rtol=0, atol=1e-4)
    strong = values > 0.05 * values.amax(1, keepdim=True)
    assert strong.float().mean() > 0.9
    assert diagonal[strong].min() > 0.6
    assert diagonal.max() < 1.3
    polar = (left @ right).flatten(1)
    cosine = torch.nn.functional.cosine_similarity(orthogonalise(matrices).flatten(1), polar)
    assert cosine.min() > 0.97


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_packed_steps_are_those_of_torchs_muon_and_adamw(weight_decay) -> None:
    """Ours multiplies in float32, torch's in bfloat16: the same to its three digits."""
    recipe = Recipe(lr=0.004, optimizer="muon", muon_lr=0.02, weight_decay=weight_decay)
    pack = make()
    pack.lr_multipliers.fill_(1.0)
    ours = make_optimizer(pack, recipe)
    start = {name: leaf.detach().clone() for name, leaf in pack.weights.items()}
    theirs = {name: reference(start[name], name, recipe) for name in start}
    gradient = random(pack.master.numel())
    for step in range(5):
        pack.gradient.copy_(gradient * (1 + 0.1 * step))
        ours.step(step, 0.004)
    for name, leaf in pack.weights.items():
        first = leaf.storage_offset()
        given = gradient[first : first + leaf.numel()].view(leaf.shape)
        moved = torch.stack([walk(theirs[name][k], given[k]) for k in range(2)])
        tolerance = 0.03 if "." in name else 1e-4
        step = (moved - start[name]).abs().max()
        assert (leaf.detach() - moved).abs().max() < tolerance * step


def reference(start, name: str, recipe: Recipe):
    """Return one (weights, optimizers) per model; matrices as torch has them, outputs first."""
    decay, found = recipe.weight_decay, []
    for model in start:
        if "." not in name:
            weight = torch.nn.Parameter(model.clone())
            found.append(([weight], torch.optim.AdamW([weight], 0.004, (0.9, 0.99), 1e-8, decay)))
            continue
        blocks = model.chunk(3, 1) if name.endswith("qkv") else [model]
        weights = [torch.nn.Parameter(block.T.contiguous()) for block in blocks]
        found.append((weights, torch.optim.Muon(weights, 0.02, decay, momentum=0.95)))
    return found


def walk(model, gradient):
    weights, optimizer = model
    adam = isinstance(optimizer, torch.optim.AdamW)
    parts = [gradient] if adam else [g.T for g in gradient.chunk(len(weights), 1)]
    for step in range(5):
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = (part * (1 + 0.1 * step)).contiguous()
        optimizer.step()
    return weights[0].detach() if adam else torch.cat([w.detach().T for w in weights], 1)


def test_muon_moves_the_layers_and_adamw_the_rest() -> None:
    muon = Muon(make(), RECIPE)
    moved = [matrix.shape for matrix in muon._matrices]
    assert len(moved) == 4 * SHAPE.n_layer
    assert sum(k * r * c for k, r, c in moved) == 2 * 12 * SHAPE.n_layer * SHAPE.d_model**2
    rest = sum(optimizer.first.numel() for optimizer in muon._rest)
    assert rest == 2 * (2 * 64 + 16) * SHAPE.d_model


def test_muon_put_back_goes_on_with_the_same_bits() -> None:
    whole, parts = make(), make()
    one, two = make_optimizer(whole, RECIPE), make_optimizer(parts, RECIPE)
    gradient = random(whole.master.numel())
    for step in range(6):
        whole.gradient.copy_(gradient * (step + 1))
        one.step(step, 0.004)
        if step == 3:
            state = two.state()
            two.step(9, 0.1)
            two.restore(state)
        parts.gradient.copy_(gradient * (step + 1))
        two.step(step, 0.004)
    assert torch.equal(whole.master, parts.master)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_models_of_a_bracket_move_at_their_own_rates(optimizer) -> None:
    recipe = Recipe(lr=0.004, optimizer=optimizer, weight_decay=0.1)
    bracket, plain = make(), make()
    gradient = random(bracket.master.numel())
    packed = make_optimizer(bracket, recipe, torch.tensor([1.0, 3.0]))
    alone = make_optimizer(plain, recipe)
    for step in range(3):
        for pack in (bracket, plain):
            pack.gradient.copy_(gradient)
        packed.step(step, 0.004)
        alone.step(step, 0.004)
    tripled = make()
    thrice = make_optimizer(tripled, recipe)
    for step in range(3):
        tripled.gradient.copy_(gradient)
        thrice.step(step, 0.012)
    for name, leaf in bracket.weights.items():
        torch.testing.assert_close(leaf[0], plain.weights[name][0], rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(leaf[1], tripled.weights[name][1], rtol=1e-4, atol=1e-5)
