"""`isoflop ladder commands` and `train-rung`: for people with a launcher of their own."""

import shlex
from pathlib import Path

import click

from isoflop.base.errors import IsoflopError
from isoflop.cli.ladder_budget import budget_options, limits_of
from isoflop.cli.ladder_folder import DEVICE, SPEC, STUDY, read_spec
from isoflop.cli.output import json_option, narrate, show


@click.command("commands")
@SPEC
@STUDY
@DEVICE
@click.option("--force", is_flag=True, help="Go on though code, data or ladder changed.")
@click.option(
    "--one-pack", is_flag=True, help="For torchrun: ranks take a rung's models as one pack."
)
@budget_options
@json_option
def commands(
    spec: Path,
    study: Path,
    device: str,
    force: bool,
    one_pack: bool,
    unlimited: bool,
    given: dict[str, float],
    as_json: bool,
) -> None:
    """Prepare a study and print one shell line a rung: run them anywhere that sees the folder.

    Each line trains what is missing of one rung and may be killed and repeated; two of the same
    rung wait for each other. Rungs that are over get no line.

    \b
    Example:
      isoflop ladder commands ladder.toml -o study > jobs.sh
      isoflop ladder commands ladder.toml -o study | xargs -P 4 -I {} sh -c {}
    \b
    Python:
      isoflop.prepare_study(isoflop.read_ladder("ladder.toml"), "study")
    """
    ladder = read_spec(spec)
    from isoflop.lab.training import prepare_study

    limits = limits_of(study, given, unlimited=unlimited)
    found = prepare_study(
        ladder,
        study,
        device=device,
        limits=limits,
        force=force,
        packs="one" if one_pack else "any",
    )
    folder = str(study.resolve())
    lines = [
        shlex.join(["isoflop", "ladder", "train-rung", folder, rung.name])
        for rung in ladder.rungs
        if not found.rung_finished(rung.name)
    ]
    if not lines:
        narrate("every run is over")
    show({"commands": lines}, "\n".join(lines), as_json=as_json)


@click.command("train-rung")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("rung")
@json_option
def train_rung(study: Path, rung: str, as_json: bool) -> None:
    """Train what is missing of one rung of a prepared study, in this process.

    \b
    Example:
      isoflop ladder train-rung study d64
    \b
    Python:
      isoflop.train_one_rung(isoflop.Study.open("study"), "d64")
    """
    from isoflop.store.study import Study

    found = Study.open(study)
    from isoflop.lab.one_rung import train_one_rung

    try:
        train_one_rung(found, rung)
    except KeyboardInterrupt as stop:
        raise IsoflopError(f"rung {rung}: stopped ({stop}); run it again to go on") from None
    runs = [run for run in found.status() if run["rung"] == rung]
    finished = sum(run["state"] == "finished" for run in runs)
    show({"runs": runs}, f"{rung}: {finished} of {len(runs)} runs finished", as_json=as_json)
