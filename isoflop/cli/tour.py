"""`isoflop tour`: from nothing to a decision."""

from pathlib import Path

import click

from isoflop.cli.output import json_option, narrate, show


@click.command("tour")
@click.option(
    "-o", "--output", "study", type=click.Path(path_type=Path), default=Path("study/tour"),
    show_default=True, help="Study folder; run again with the same one to resume.",
)  # fmt: skip
@click.option(
    "--minutes", type=click.FloatRange(0, min_open=True), default=6.0, show_default=True,
    help="Wall-clock allowed for training; the design is sized to it.",
)  # fmt: skip
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@json_option
def command(study: Path, minutes: float, device: str, as_json: bool) -> None:
    """Go from nothing to a decision: train a ladder on real text, fit, plan, report.

    \b
    Example:
      isoflop tour -o study/tour
    \b
    Python:
      isoflop.run_tour("study/tour", minutes=6)
    """
    from isoflop.report.tour import run_tour

    if (study / "ladder.toml").is_file():
        narrate(f"{study} has begun: its own design is kept, whatever --minutes says")
    result = run_tour(study, minutes=minutes, device=device)
    lines = [*result.answer, f"Report      {result.report}"]
    if result.trained_seconds is not None:
        narrate(f"trained for {result.trained_seconds / 60:.1f} minutes")
    show(result.to_dict(), "\n".join(lines), as_json=as_json)
