"""Writing what a planner proposes: a ladder file to train, or a table of runs."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from isoflop.base.estimate import shorten
from isoflop.cli.output import narrate

Command = TypeVar("Command", bound=Callable[..., Any])
_FIELDS = ("corpus", "tokenizer", "n_layer", "n_ctx", "counting")


def proposal_options(command: Command) -> Command:
    """Add -o, and what a ladder file needs beyond runs; hand them over as `write`."""

    @functools.wraps(command)
    def call(*given: Any, **named: Any) -> Any:
        said = {name: named.pop(name) for name in _FIELDS}
        output: Path | None = named.pop("output")
        write = functools.partial(_write, output, said)
        return command(*given, output=output, write=write, **named)

    wrapped: Any = call
    for option in reversed(_options()):
        wrapped = option(wrapped)
    return wrapped


def _write(
    path: Path | None, said: dict[str, Any], runs: Sequence[tuple[float, float, float]]
) -> None:
    """Write (n_params, n_tokens, flops) of every run; nothing without a path."""
    if path is None:
        return
    if path.suffix == ".toml":
        _write_ladder(path, said, runs)
        narrate(f"wrote {path}; next: isoflop ladder plan {path}")
    else:
        _write_table(path, runs)
        narrate(f"wrote {path}")


def _write_ladder(
    path: Path, said: dict[str, Any], runs: Sequence[tuple[float, float, float]]
) -> None:
    from isoflop.base.atomic import write_atomic
    from isoflop.plan.design.as_ladder import Trained, far_sizes, ladder_of_runs
    from isoflop.runs.ladders.print import print_spec

    ladder = ladder_of_runs([(n, d) for n, d, _ in runs], Trained(**said))
    write_atomic(path, print_spec(ladder))
    far = far_sizes(ladder)
    if far:
        asked, near = max(far, key=lambda pair: max(pair[0] / pair[1], pair[1] / pair[0]))
        narrate(
            f"note: {len(far)} sizes have no shape within a fifth; the farthest asks for "
            f"{shorten(asked)} parameters and gets {shorten(near)}"
        )


def _write_table(path: Path, runs: Sequence[tuple[float, float, float]]) -> None:
    from isoflop.exchange.run_tables import write_runs
    from isoflop.runs.table import RunTable

    records = [{"n_params": float(n), "n_tokens": float(d), "flops": float(c)} for n, d, c in runs]
    write_runs(RunTable.from_records(records, source=str(path)), path)


def _options() -> list[Callable[[Any], Any]]:
    return [
        click.option(
            "-o",
            "--output",
            type=click.Path(path_type=Path),
            help="Write the runs: a ladder file (.toml), or a table (.csv).",
        ),
        click.option("--corpus", default="sotu", show_default=True, help="Of the ladder file."),
        click.option("--tokenizer", default="bytes", show_default=True, help="Of the ladder file."),
        click.option("--n-layer", default=0, help="Layers of every model; 0: by the size."),
        click.option("--n-ctx", default=64, show_default=True, help="Context of its models."),
        click.option(
            "--counting",
            type=click.Choice(["total", "non_embedding"]),
            default="total",
            show_default=True,
            help="Which parameters the law's sizes count.",
        ),
    ]
