"""`isoflop ladder migrate`: bring a study of an earlier release to this one's layout."""

from pathlib import Path

import click

from isoflop.cli.output import json_option, show


@click.command("migrate")
@click.argument("study", type=click.Path(path_type=Path))
@json_option
def command(study: Path, as_json: bool) -> None:
    """Bring a study of an earlier release to this one's layout, with a backup of what changes.

    `run` and `resume` do so themselves; to read a study needs no migration.

    \b
    Example:
      isoflop ladder migrate study
    \b
    Python:
      isoflop.migrate_study("study")
    """
    from isoflop.store.layout import LAYOUT, migrate_study

    done = migrate_study(study)
    text = f"{study} is of format {LAYOUT} already"
    if done.backup is not None:
        text = (
            f"{study}: format {done.found} → {LAYOUT}, {len(done.renamed)} checkpoints renamed; "
            f"as it was: {done.backup}"
        )
    document = {
        "found": done.found,
        "format": LAYOUT,
        "backup": None if done.backup is None else str(done.backup),
        "renamed": [str(path) for path in done.renamed],
    }
    show(document, text, as_json=as_json)
