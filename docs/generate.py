"""Write the documentation that is generated from the code; `--check` only compares.

- docs/cli.md: the help of every command.
- README.md: the tree, one line a file, from each module's first docstring line.
"""

import ast
import sys
from pathlib import Path

import click

from isoflop.cli.main import SUMMARIES, app

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- tree: begin, written by `make docs` -->", "<!-- tree: end -->"


def cli_reference() -> str:
    """Help of every command and subcommand, as Markdown."""
    parts = ["# Command line\n\nWritten by `make docs` from the code. Each command's help ends "
             "with the Python line that does the same.\n"]  # fmt: skip
    parts.append(_help(app, "isoflop"))
    context = click.Context(app, info_name="isoflop")
    for name in SUMMARIES:
        command = app.get_command(context, name)
        assert command is not None
        parts.append(_help(command, f"isoflop {name}"))
        for sub, child in getattr(command, "commands", {}).items():
            parts.append(_help(child, f"isoflop {name} {sub}"))
    return "\n".join(parts)


def _help(command: click.Command, path: str) -> str:
    settings = {**app.context_settings, "max_content_width": 90}
    context = click.Context(command, info_name=path, terminal_width=90, **settings)
    return f"## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"


def tree() -> str:
    """The package as a tree with one line a file."""
    lines = ["```text"]
    for folder in sorted({path.parent for path in _modules()}, key=_floor):
        indent = "  " * (len(folder.relative_to(ROOT).parts) - 1)
        lines.append(f"{indent}{folder.name + '/':<{26 - len(indent)}} {_first_line(folder)}")
        for path in sorted(folder.glob("*.py")):
            if path.name not in ("__init__.py",):
                lines.append(f"{indent}  {path.name:<{24 - len(indent)}} {_first_line(path)}")
    return "\n".join([*lines, "```"])


def _modules() -> list[Path]:
    return [path for path in (ROOT / "isoflop").rglob("*.py") if "__pycache__" not in path.parts]


FLOORS = tuple(
    "base accounting runs laws fitting exchange store testing plan lab draw report cli".split()  # noqa: SIM905
)


def _floor(folder: Path) -> tuple[int, str]:
    parts = folder.relative_to(ROOT).parts
    return (FLOORS.index(parts[1]) if len(parts) > 1 else -1, str(folder))


def _first_line(path: Path) -> str:
    source = path / "__init__.py" if path.is_dir() else path
    document = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return document.split("\n")[0].rstrip(".")


def main() -> int:
    """Write or compare; exit 1 when something is out of date."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    head, _, rest = readme.partition(BEGIN)
    _, _, tail = rest.partition(END)
    wanted = {
        ROOT / "docs/cli.md": cli_reference(),
        ROOT / "README.md": f"{head}{BEGIN}\n{tree()}\n{END}{tail}",
    }
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        if "--check" in sys.argv:
            print(f"{path.relative_to(ROOT)} is out of date: run `make docs`")
        else:
            path.write_text(wanted[path], encoding="utf-8")
    return int("--check" in sys.argv and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
