"""Commands that pages of docs/reproductions print, and where their numbers stand on the page."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks._agreement import read_numbers, same_number
from isoflop.cli.main import run

PAGES = Path(__file__).parents[1] / "docs" / "reproductions"
ROOT = PAGES.parents[1]


@dataclass(frozen=True)
class PageCommand:
    """A command and the numbers of its output that a page states.

    Args:
        page: file in docs/reproductions.
        command: `isoflop …` or `python -m …`.
        places: (pattern in the output, pattern on the page); the numbers of both first groups are
            compared in order, each to the last digit of the shorter one.
        data: file under the folder of ISOFLOP_DATA that the command reads, as it is written there.
    """

    page: str
    command: str
    places: tuple[tuple[str, str], ...]
    data: str = ""


def _column(name: str, column: int) -> str:
    """Pattern of one cell of a page's table row, counted after the row's name."""
    return rf"^\| {re.escape(name)} \|" + r"[^|\n]*\|" * column + r"([^|\n]*)\|"


_POINTS = "chinchilla-epoch/svg_extracted_data.csv"
_HUBER = f"isoflop fit {_POINTS} --derive n_tokens --loss huber"
_ROWS = {"E": "E", "A": "A", "B": "B", "α": "alpha", "β": "beta", "a = β/(α+β)": "a"}
_OBJECTIVE = "objective (Huber 1e-3 on log loss, summed)"


def _huber(command: str, column: int) -> PageCommand:
    places = [(rf"^  {name} +([\d.]+ ?.*)", _column(row, column)) for row, name in _ROWS.items()]
    places.append((r"^objective ([\d.]+)", _column(_OBJECTIVE, column)))
    return PageCommand("chinchilla.md", command, tuple(places), _POINTS)


def _robust(command: str, column: int) -> PageCommand:
    cells = r"[^|\n]*\|" * column + r"([^|\n]*)\|" + r"[^|\n]*\|" * (3 - column) + "$"
    rows = {"E": "E", "α": "alpha", "β": "beta", "a": "a"}
    places = tuple((rf"^  {name} +([\d.]+)", rf"^\| {row} \|{cells}") for row, name in rows.items())
    return PageCommand("chinchilla.md", command, places, _POINTS)


_REPEATS = "datablations/runs_N_D_U_loss_182.csv"
_ADDITION = "bnsl-arithmetic/points.csv"
_HELD = "--fix E=1.8691437 --fix A=520.82495 --fix B=1487.7161 --fix alpha=.3526596"
_GRIDS = {"centred": "centred", "3x off": "3× off", "drift to 3x": "drift to 3×"}

COMMANDS = (
    _huber(f"{_HUBER} --drop-highest-loss 5", 1),
    _huber(_HUBER, 2),
    _robust(f"isoflop fit {_POINTS} --derive n_tokens --drop-highest-loss 5", 2),
    _robust(f"isoflop fit {_POINTS} --derive n_tokens", 3),
    PageCommand(
        "data-constrained.md",
        f"isoflop fit {_REPEATS} --law repeated --loss huber {_HELD} --fix beta=.3526596 "
        "--interval profile --level .95",
        (
            (r"^  R_D_star +(.*)$", r"^  R_D_star +(.*)$"),
            (r"^  R_N_star +(.*)$", r"^  R_N_star +(.*)$"),
            (r"^objective ([\d.]+)", r"^\| 95.4 \| 1.71 \| (\S+) \|"),
        ),
        _REPEATS,
    ),
    PageCommand(
        "isoflop-bias.md",
        "python -m benchmarks.parabola_bias",
        tuple(
            (
                rf"^{surface} +{printed} +(.*) \S+$",
                rf"^\| {surface} \| {shown} \| (.*) \|[^|\n]*\|$",
            )
            for surface in ("sym", "chin", "asym")
            for printed, shown in _GRIDS.items()
        ),
    ),
    PageCommand(
        "nist.md",
        "python -m benchmarks.nist",
        (
            (r"parameters to 6 digits (27)/27", r"Parameters agree to 6 digits on (\d+) of 27"),
            (r"standard errors to 4 (\d+)/27", r"standard errors to 4 on (\d+) of 27"),
        ),
    ),
    PageCommand(
        "decisions.md",
        "isoflop kaplan stop",
        (
            (r"^stop +(\S+) %", r"^\| stop above .*\| (\S+) % \| `kaplan stop`"),
            (r"^parameters +([\d.]+)×", r"2 %: .*\| ([\d.]+)×, "),
            (r"^steps +([\d.]+)×", r"2 %: .*\| [\d.]+×, ([\d.]+)×"),
            (r"^compute +([\d.]+) %", r"fewer, ([\d.]+) % less \| `kaplan stop`"),
        ),
    ),
    PageCommand(
        "decisions.md",
        "isoflop data --flops 1e22 --unique 25B",
        (
            (r"^epochs +(\S+)", r"\| (\S+) epochs, \S+, \S+ \| `data`"),
            (r"^parameters +(\S+)", r"\| \S+ epochs, ([^, ]+), \S+ \| `data`"),
            (r"^tokens +(\S+)", r"\| \S+ epochs, \S+, (\S+) \| `data`"),
        ),
    ),
    PageCommand(
        "clark.md",
        "isoflop predict --law clark-2022-s-base --n-params 1.3B --at n_experts=1",
        ((r"^loss (\S+)", r"^loss (\S+)"),),
    ),
    PageCommand(
        "gadre.md",
        "isoflop predict --law gadre-2024-redpajama --n-params 6889410560 --n-tokens 137788211200",
        ((r"^loss (\S+)", r"^loss (\S+)"),),
    ),
    PageCommand(
        "step-law.md",
        "isoflop tune --n-params 1B --n-tokens 20B",
        (
            (r"^li-2025-lr +peak rate +(\S+)", r"^li-2025-lr +peak rate +(\S+)"),
            (r"^li-2025-batch +tokens/step +(\S+)", r"^li-2025-batch +tokens/step +(\S+)"),
        ),
    ),
    PageCommand(
        "tao.md",
        "isoflop predict --law tao-2024-a2-v-opt --at n_params_non_embedding=7B",
        ((r"^n_params_vocabulary (\S+)", r"^n_params_vocabulary (\S+)"),),
    ),
    PageCommand(
        "bnsl.md",
        f"isoflop backtest {_ADDITION} --law bnsl1 --over n_train --by n_train --cut 740 "
        "--loss squared --residuals log1p --bootstrap 20",
        (
            (r"^missed by +([\d.]+ %) RMS", r"^missed by +([\d.]+ %) RMS"),
            (r"^row 17 +(\d+ +\S+ +\S+) ", r"^row 17 +(\d+ +\S+ +\S+) "),
            (r"^row 16 +(\d+ +\S+ +\S+) ", r"^row 16 +(\d+ +\S+ +\S+) "),
            (r"^row 15 +(\d+ +\S+ +\S+) ", r"^row 15 +(\d+ +\S+ +\S+) "),
        ),
        _ADDITION,
    ),
    PageCommand(
        "contradiction.md",
        "isoflop crossing",
        (
            (r"^C\* .* = (\d+) ", r"^\| Table 5 \| Table 5 \| 2e10.*?\| \S+ / (\S+) \|"),
            (r"^N\* +(\S+) ", r"^\| Table 5 \| Table 5 \| 2e10.*?/.*?/ (\S+) \|"),
        ),
    ),
)


def compare_page(asked: PageCommand, data: Path | None) -> Iterator[str]:
    """Run a page's command; yield a sentence for every number that the page has otherwise."""
    page = (PAGES / asked.page).read_text(encoding="utf-8")
    printed = print_command(asked, data)
    for pattern, place in asked.places:
        found = re.search(pattern, printed, re.M)
        stated = re.search(place, page, re.M)
        if found is None or stated is None:
            where = "the output" if found is None else "the page"
            yield f"nothing in {where} is like {pattern if found is None else place}"
            continue
        ours, theirs = read_numbers(found[1]), read_numbers(stated[1])
        pairs = zip(ours, theirs, strict=False)
        if not theirs or len(theirs) > len(ours) or not all(same_number(*pair) for pair in pairs):
            yield f"printed {found[1].strip()}, on the page {stated[1].strip()}"


def print_command(asked: PageCommand, data: Path | None) -> str:
    """Return what a command prints."""
    program, *words = shlex.split(asked.command)
    if program != "isoflop":
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    if asked.data and data is not None:
        words = [str(data / asked.data) if word == asked.data else word for word in words]
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        run(words)
    return output.getvalue()
