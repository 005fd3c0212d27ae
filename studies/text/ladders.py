"""The ladders of every part, from the numbers of a size."""

from dataclasses import dataclass, replace
from pathlib import Path

from isoflop.accounting.architecture import Architecture
from isoflop.accounting.lstm import Lstm
from isoflop.runs.ladders.evaluation import Evaluation
from isoflop.runs.ladders.ladder import Ladder, Rung
from isoflop.runs.recipes import RECIPES
from isoflop.runs.recipes.recipe import Recipe
from studies.text.sizes import Size
from studies.text.texts import HELD_OUT_EVERY, second_corpus, unique_path

N_CTX, N_VOCAB = 64, 256


@dataclass(frozen=True)
class Training:
    """One ladder to train.

    Args:
        name: of its study's folder.
        ladder: what is trained.
        rates: learning rates bracketed per rung before; 0 for none.
    """

    name: str
    ladder: Ladder
    rates: int = 0


def grid_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """Every width on every budget, also measured on the second corpus."""
    rungs = tuple(
        Rung(f"d{width}", transformer(width), seeds, size.budgets)
        for width, seeds in zip(size.widths, size.seeds, strict=True)
    )
    measured = evaluation(size, second_corpus(size.second, out), noise=size.noise_tokens)
    ladder = _ladder("grid", size.corpus, rungs, Recipe(batch_tokens=size.batch), measured)
    return (Training("grid", ladder, size.rates),)


def batch_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """One width at every batch, each at its own rate, found at a quarter of the budget."""
    del out
    trainings = []
    for batch in size.batches:
        factor = batch / size.batches[0]
        steps = round(size.batch_budget * factor ** (1 / 3) / batch)
        budgets = (max(1, steps // 4) * batch, steps * batch)
        recipe = Recipe(batch_tokens=batch, lr=0.004 * factor**0.25)
        rungs = (Rung(f"b{batch}", transformer(size.batch_width), 3, budgets),)
        ladder = _ladder(f"batch-{batch}", size.corpus, rungs, recipe, evaluation(size))
        trainings.append(Training(f"batch-{batch}", ladder, size.rates))
    return tuple(trainings)


def shape_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """Shapes of about one number of non-embedding parameters on one budget."""
    del out
    rungs = tuple(
        Rung(
            f"l{layers}-d{width}-f{ff:g}",
            transformer(width, n_layer=layers, d_ff=round(ff * width)),
            2,
            (size.budgets[0], size.budgets[-3]),
        )
        for layers, width, ff in size.shapes
    )
    recipe = Recipe(batch_tokens=size.batch)
    ladder = _ladder("shape", size.corpus, rungs, recipe, evaluation(size))
    return (Training("shape", ladder, size.rates),)


def transfer_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """Some widths on the second corpus, also measured on the first."""
    rungs = tuple(Rung(f"d{w}", transformer(w), 2, size.budgets[:-1]) for w in size.second_widths)
    corpus, recipe = second_corpus(size.second, out), Recipe(batch_tokens=size.batch)
    ladder = _ladder("second", corpus, rungs, recipe, evaluation(size, size.corpus))
    return (Training("second", ladder, size.rates),)


def finetune_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """The same widths trained on the first corpus, then on the second from those weights.

    Beside them from new weights on as little of the second, less than `transfer` trains on.
    """
    recipe, widths = Recipe(batch_tokens=size.batch), size.second_widths
    rungs = tuple(Rung(f"d{w}", transformer(w), 1, (size.pretrain_budget,)) for w in widths)
    kept = replace(evaluation(size), keep_weights=True)
    pretrain = _ladder("pretrain", size.corpus, rungs, recipe, kept)
    runs = out / "studies" / "pretrain" / "runs"
    starts = {run.rung.name: str(runs / run.id) for run in pretrain.runs()}
    few = tuple(each for each in size.finetune_budgets if each < size.budgets[0])
    scratch = tuple(replace(rung, token_budgets=few) for rung in rungs)
    tuned = tuple(
        replace(rung, token_budgets=size.finetune_budgets, start=starts[rung.name])
        for rung in rungs
    )
    corpus, measured = second_corpus(size.second, out), evaluation(size, size.corpus)
    return (
        Training("pretrain", pretrain),
        Training("scratch", _ladder("scratch", corpus, scratch, recipe, measured)),
        Training("finetune", _ladder("finetune", corpus, tuned, recipe, measured)),
    )


def lstm_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """LSTMs of one layer, wider than the transformers so that both have sizes alike."""
    del out
    rungs = tuple(
        Rung(
            f"lstm{w}",
            Lstm(n_layer=1, d_model=w, d_hidden=2 * w, n_ctx=N_CTX, n_vocab=N_VOCAB, tied=False),
            2,
            size.budgets[:-1],
        )
        for w in size.lstm_widths
    )
    recipe = Recipe(batch_tokens=size.batch)
    ladder = _ladder("lstm", size.corpus, rungs, recipe, evaluation(size))
    return (Training("lstm", ladder, size.rates),)


def unique_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """One wide model on few distinct bytes, read up to the point where nothing more is gained."""
    trainings = []
    for unique in size.unique:
        budgets = tuple(unique * epochs for epochs in size.epochs)
        rungs = (Rung(f"d{size.unique_width}", transformer(size.unique_width), 1, budgets),)
        ladder = _ladder(
            f"unique-{unique}",
            str(unique_path(size.corpus, unique, out)),
            rungs,
            Recipe(batch_tokens=size.batch),
            evaluation(size, size.corpus),
        )
        ladder = replace(ladder, max_epochs=2.0 * max(size.epochs))
        trainings.append(Training(f"unique-{unique}", ladder))
    return tuple(trainings)


def porian_ladders(size: Size, out: Path) -> tuple[Training, ...]:
    """One ladder under Kaplan's recipe, and under it corrected once, twice, thrice.

    The corrections are Porian's: warm-up of as many tokens as parameters, a cosine as long as the
    run, then constant rate with everything tuned. Head FLOPs are a matter of counting.
    """
    del out
    kaplan = replace(RECIPES["kaplan"].recipe, batch_tokens=size.batch)
    warm = replace(kaplan, warmup_rule="params")
    matched = replace(warm, schedule="cosine", lr_final=0.1)
    tuned = replace(RECIPES["porian"].recipe, batch_tokens=size.batch)
    recipes = {"kaplan": kaplan, "warmup": warm, "cosine": matched, "tuned": tuned}
    rungs = tuple(Rung(f"d{w}", transformer(w), 1, size.porian_budgets) for w in size.porian_widths)
    return tuple(
        Training(
            f"porian-{name}",
            _ladder(f"porian-{name}", size.corpus, rungs, recipe, evaluation(size)),
            size.rates if name == "tuned" else 0,
        )
        for name, recipe in recipes.items()
    )


def transformer(width: int, *, n_layer: int = 2, d_ff: int | None = None) -> Architecture:
    """Two heads and a head of its own at every width, 64 bytes of context."""
    return Architecture(
        n_layer=n_layer,
        d_model=width,
        d_ff=d_ff if d_ff is not None else 4 * width,
        n_head=2,
        n_ctx=N_CTX,
        n_vocab=N_VOCAB,
        tied=False,
        positions="rotary",
    )


def evaluation(size: Size, *test_sets: str, noise: int = 0) -> Evaluation:
    """The same held-out documents for every ladder on a corpus."""
    return Evaluation(
        tokens=size.held_out,
        curve_tokens=min(16_384, size.held_out),
        held_out_every=HELD_OUT_EVERY,
        test_sets=test_sets,
        noise_tokens=noise,
    )


def _ladder(
    name: str, corpus: str, rungs: tuple[Rung, ...], recipe: Recipe, measured: Evaluation
) -> Ladder:
    return Ladder(f"text-{name}", corpus, "bytes", rungs, recipe, measured)
