"""`isoflop ladder bracket`: the learning rate of every rung."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from isoflop.base.estimate import shorten
from isoflop.cli.ladder_folder import read_spec
from isoflop.cli.output import format_table, json_option, narrate, show

if TYPE_CHECKING:
    from isoflop.runs.brackets.valley import Bracket

SPEC = click.argument("spec", type=click.Path(path_type=Path))
STUDY = click.option(
    "-o", "--output", "study", type=click.Path(path_type=Path), required=True,
    help="Folder of the bracket's own study.",
)  # fmt: skip
HEADER = ["rung", "tokens", "rates tried", "best rate", "within .01 nats", "loss", "place"]


@click.command("bracket")
@SPEC
@STUDY
@click.option("--rates", default=5, show_default=True, help="Rates a rung, odd.")
@click.option("--ratio", default=2.0, show_default=True, help="From one rate to the next.")
@click.option(
    "--at", type=click.Choice(["shortest", "longest"]), default="shortest", show_default=True,
    help="Budget of each rung at which rates are compared.",
)  # fmt: skip
@click.option("--tuned", type=click.Path(path_type=Path), help="Write the tuned ladder here.")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Processes; one a core by default.")
@json_option
def command(
    spec: Path,
    study: Path,
    rates: int,
    ratio: float,
    at: Literal["shortest", "longest"],
    tuned: Path | None,
    device: str,
    workers: int | None,
    as_json: bool,
) -> None:
    """Find each rung's learning rate: several rates packed, a parabola in log rate, its bottom.

    \b
    Example:
      isoflop ladder bracket ladder.toml -o rates --tuned tuned.toml
    \b
    Python:
      isoflop.bracket_rates(isoflop.read_ladder("ladder.toml"), "rates")
    """
    from isoflop.base.atomic import write_atomic
    from isoflop.runs.ladders.toml import print_ladder

    ladder = read_spec(spec)  # before the lab and its extra: a missing file is told first
    from isoflop.lab import bracket_rates

    found = bracket_rates(
        ladder, study, n_rates=rates, ratio=ratio, at=at, device=device, workers=workers
    )
    if tuned:
        write_atomic(tuned, print_ladder(found.ladder))
    text = format_table(HEADER, [_row(bracket) for bracket in found.brackets], right=(1, 3, 5))
    if found.exponent is not None:
        text += f"\nbest rate goes as N^{found.exponent:.2f}"
    for finding in found.findings:
        narrate(f"{finding.severity}: {finding.evidence}; {finding.consequence}; {finding.remedy}")
    show(found.to_dict(), text, as_json=as_json)


def _row(bracket: "Bracket") -> list[str]:
    tried = " ".join(
        f"{shorten(lr)}{'✘' if loss is None else ''}"
        for lr, loss in zip(bracket.lrs, bracket.losses, strict=True)
    )
    within = ""
    if bracket.low is not None and bracket.high is not None:
        within = f"{shorten(bracket.low)} to {shorten(bracket.high)}"
    loss = "" if bracket.loss is None else f"{bracket.loss:.4f}"
    best = shorten(bracket.lr)
    return [bracket.rung, f"{bracket.n_tokens:,}", tried, best, within, loss, bracket.place]
