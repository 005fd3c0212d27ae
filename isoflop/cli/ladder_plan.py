"""`isoflop ladder plan`: what a ladder costs before a FLOP is spent."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.base.duration import clock
from isoflop.base.estimate import shorten
from isoflop.cli.hardware_options import Hardware, hardware_options, price
from isoflop.cli.ladder_folder import DEVICE, SPEC, read_spec
from isoflop.cli.output import format_table, json_option, narrate, show

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isoflop.lab.price.price import Price
    from isoflop.runs.finding import Finding

HEADER = ["rung", "parameters", "seeds", "trunks", "runs", "FLOPs", "time", "epochs", "MB"]


@click.command("plan")
@SPEC
@DEVICE
@hardware_options
@json_option
def command(spec: Path, device: str, hardware: Hardware, as_json: bool) -> None:
    """Price a ladder before a FLOP is spent: FLOPs, time, epochs, memory, dollars.

    Time is this machine's, by a probe of well under a second: seconds, m:ss, or h:mm with an h.
    With --accelerator the same FLOPs are priced there; models as small as a ladder's reach far less
    than the assumed share of its peak, so read that as a lower bound.

    \b
    Example:
      isoflop ladder plan ladder.toml
      isoflop ladder plan ladder.toml --accelerator h100 --dollars-per-hour 3 --mfu 0.4
    \b
    Python:
      isoflop.price_ladder(isoflop.read_ladder("ladder.toml"))
    """
    ladder = read_spec(spec)  # before the lab and its extra: a missing file is told first
    from isoflop.lab import price_ladder

    found = price_ladder(ladder, device=device)
    text, document = _describe(found, ladder.tokenizer), found.to_dict()
    if replace(hardware, dollars_per_hour=None).asked:
        document["accelerator"], table = price(found.flops, hardware)
        text += f"\n\n{table}"
    elif hardware.dollars_per_hour:
        dollars = found.seconds / 3600 * hardware.dollars_per_hour
        document["cost_usd"] = dollars
        text += f"\n{shorten(dollars)} dollars of this machine"
    narrate_findings(found.findings)
    show(document, text, as_json=as_json)


def narrate_findings(findings: "Iterable[Finding]") -> None:
    """Say on standard error what would spoil a ladder, and what to do."""
    for finding in findings:
        narrate(f"{finding.severity}: {finding.evidence}; {finding.consequence}; {finding.remedy}")


def _describe(found: "Price", tokenizer: str) -> str:
    from isoflop.runs.counted import counted

    least = "" if tokenizer == "bytes" else "≥"  # of a tokenizer not yet trained
    rows = [
        [
            r.name,
            f"{r.n_params:,}",
            str(r.seeds),
            str(r.trunks),
            str(r.n_runs),
            shorten(r.flops),
            clock(r.seconds),
            f"{least}{r.epochs:.2g}",
            f"{r.memory_bytes / 1e6:.0f}",
        ]
        for r in found.rungs
    ]
    lines: list[Any] = [format_table(HEADER, rows, right=range(1, len(HEADER)))]
    lines.append(
        f"{counted(found.n_runs, 'run')}, {shorten(found.flops)} FLOPs "
        f"({found.flops:.0f} for --max-flops), about {clock(found.seconds)} "
        f"on {counted(found.workers, 'worker')} of this machine"
    )
    free = "" if found.memory_available is None else f"; {found.memory_available / 1e9:.1f} GB free"
    lines.append(
        f"evaluation adds {shorten(found.evaluation_flops)} FLOPs; memory about "
        f"{found.memory_bytes / 1e9:.1f} GB at its peak{free}"
    )
    return "\n".join(lines)
