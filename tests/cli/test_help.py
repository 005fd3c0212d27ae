"""Help ends with an example that runs and a Python line that evaluates."""

import doctest
import re
import shlex

import click
import pytest

import isoflop as package
from isoflop.cli.main import SUMMARIES, app

COMMANDS = (
    "count",
    "convert",
    "cost",
    "laws",
    "laws show",
    "predict",
    "fit",
    "plan",
    "crossing",
    "regime",
    "completion",
    "breaks",
    "compare",
    "sensitivity",
    "race",
    "century",
    "size",
    "data",
    "inference",
    "overtrain",
    "kaplan",
    "kaplan batch",
    "kaplan stop",
    "kaplan size",
    "kaplan split",
    "kaplan overfit",
    "tune",
)
"""Commands whose examples need nothing but a run table."""


def all_commands() -> list[str]:
    """Every command, groups opened."""
    names = []
    for name in SUMMARIES:
        command = app.get_command(click.Context(app), name)
        names.append(name)
        if isinstance(command, click.Group):
            names += [f"{name} {inner}" for inner in command.commands]
    return names


def section(help_text: str, title: str) -> list[str]:
    """Indented lines below `Title:`, comments and blank lines left out."""
    found = re.search(rf"^  {title}:.*\n((?:    .*\n?)+)", help_text, re.MULTILINE)
    assert found is not None, f"no {title} in\n{help_text}"
    return [line.strip() for line in found[1].splitlines() if line.strip()]


@pytest.mark.parametrize("name", all_commands())
def test_every_help_shows_an_example_and_the_python_line(isoflop, name: str) -> None:
    result = isoflop(*name.split(), "--help")
    assert (result.code, result.err) == (0, "")
    examples, python = section(result.out, "Example"), section(result.out, "Python")
    assert all(example.startswith("isoflop ") for example in examples)
    assert result.out.rstrip().splitlines()[-1].strip() == python[-1]
    for attribute in re.findall(r"\bisoflop\.(\w+)", " ".join(python)):
        assert attribute in package.__all__


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_run_as_they_stand(isoflop, runs: str, law: str, name: str) -> None:
    for example in section(isoflop(*name.split(), "--help").out, "Example"):
        arguments = shlex.split(example.partition(">>")[0])[1:]
        result = isoflop(*arguments)
        assert result.code == 0, result.err
        assert result.out.strip()


@pytest.mark.parametrize("name", COMMANDS)
def test_python_lines_evaluate_as_they_stand(isoflop, runs: str, name: str) -> None:
    lines = section(isoflop(*name.split(), "--help").out, "Python")
    text = "".join(
        f">>> {line}\n" if line.startswith("import ") else f">>> ({line}) is None\nFalse\n"
        for line in lines
    )
    names = {"isoflop": package}
    test = doctest.DocTestParser().get_doctest(text, names, name, None, 0)
    failed, attempted = doctest.DocTestRunner().run(test)
    assert (failed, attempted) == (0, len(lines))


def test_the_first_help_lists_every_command_with_its_line(isoflop) -> None:
    result = isoflop("--help")
    assert (result.code, result.err) == (0, "")
    for name, summary in SUMMARIES.items():
        listed = re.search(rf"^  {name} +(.*(?:\n {{4,}}.*)*)", result.out, re.MULTILINE)
        assert listed is not None
        assert " ".join(listed[1].split()) == summary


def test_every_summary_opens_the_help_of_its_command() -> None:
    for name in SUMMARIES:
        assert app.get_command(click.Context(app), name) is not None
    assert app.get_command(click.Context(app), "nothing") is None


def test_the_version_is_the_packages(isoflop) -> None:
    assert isoflop("--version").out == f"isoflop {package.__version__}\n"
