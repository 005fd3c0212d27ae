"""Kaplan et al. 2020: one long warm-up and one long cosine, whatever the size."""

from isoflop.runs.recipes.recipe import PublishedRecipe, Recipe

KAPLAN = PublishedRecipe(
    recipe=Recipe(
        name="kaplan",
        batch_tokens=2**19,  # 512 sequences of 1024 tokens, section 2.2
        beta2=0.95,  # of Porian's reproduction of it; Kaplan does not print it
        schedule="cosine-fixed",
        lr_final=0.0,
        horizon_steps=250_000,  # section 2.2: 2.5e5 steps
        warmup_rule="steps",
        warmup_steps=3_000,  # section 2.2
        lr_rule="logarithm",
        lr_scale=0.003239,  # appendix D.1: LR(N) = .003239 − .0001395·ln N
        lr_exponent_n=-0.0001395,
    ),
    source="Kaplan et al. 2020 (arXiv 2001.08361)",
    taken="3000 steps of linear warm-up and a cosine to zero over 2.5e5 steps, the same for every "
    "size; batch 2^19 tokens; rate by size (appendix D.1). Losses at a budget are read on the way",
    left="Adafactor above 1e9 parameters, dropout; β2 .95 is that of Porian's reproduction",
)
