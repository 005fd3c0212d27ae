"""Hoffmann et al. 2022: a cosine as long as each run."""

from isoflop.runs.recipes.recipe import PublishedRecipe, Recipe

CHINCHILLA = PublishedRecipe(
    recipe=Recipe(
        name="chinchilla",
        batch_tokens=2**19,  # 256 sequences of 2048 tokens, Porian's reproduction
        lr=0.003,  # Porian's reproduction, every size
        beta2=0.95,  # likewise
        schedule="cosine",
        lr_final=0.1,  # Hoffmann section 3.1: "by a factor of 10× over a horizon"
        warmup_rule="params",  # Porian's reproduction: min(N, D/6) tokens
        lr_rule="standard",
    ),
    source="Hoffmann et al. 2022 (arXiv 2203.15556); Porian et al. 2024 (arXiv 2406.19146)",
    taken="the cosine's length is the run's and it ends at a tenth of the peak (section 3.1). "
    "Warm-up, rate, β2 and batch are those of Porian's reproduction",
    left="weight decay, gradient clipping; Porian's own cosines end at a hundredth",
)
