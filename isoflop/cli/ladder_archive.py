"""`isoflop ladder archive` and `restore`: finished runs to any fsspec path, and back."""

from pathlib import Path

import click

from isoflop.cli.output import json_option, show
from isoflop.runs.counted import counted


@click.command("archive")
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("url")
@json_option
def archive(study: Path, url: str, as_json: bool) -> None:
    """Copy a study's finished runs to an archive; run again to add new ones.

    URL is any path that fsspec reaches: file:///…, s3://…, gs://…, or a plain path. Every file is
    read back and kept with its SHA-256; nothing is removed, here or there.

    \b
    Example:
      isoflop ladder archive study file:///backup/study
      isoflop ladder archive study s3://bucket/study
    \b
    Python:
      isoflop.archive_study("study", "s3://bucket/study")
    """
    from isoflop.store.archive.archive import archive_study

    moved = archive_study(study, url)
    runs = counted(moved.copied, "run")
    text = f"{runs} copied, {moved.kept} there already, {moved.left} not over yet"
    show(moved.to_dict(), text, as_json=as_json)


@click.command("restore")
@click.argument("url")
@click.option(
    "-o", "--output", "study", type=click.Path(path_type=Path), required=True, help="Study folder."
)
@json_option
def restore(url: str, study: Path, as_json: bool) -> None:
    """Copy the runs of an archive back into a study, checked by their hashes.

    \b
    Example:
      isoflop ladder restore s3://bucket/study -o study
    \b
    Python:
      isoflop.restore_study("s3://bucket/study", "study")
    """
    from isoflop.store.archive.restore import restore_study

    moved = restore_study(url, study)
    runs = counted(moved.copied, "run")
    text = f"{runs} copied, {moved.kept} there already, {moved.left} not whole there"
    show(moved.to_dict(), text, as_json=as_json)
