"""Bad input: exit 2, one line on stderr, nothing on stdout, no traceback."""

from pathlib import Path

import pytest

HEADER = "run,n_params,n_tokens,flops,loss\n"


def rows(count: int = 12) -> str:
    """Lines of a table good enough to fit."""
    lines = []
    for k in range(count):
        N, D = 1e7 * 2 ** (k % 4), 1e9 * 3 ** (k // 4)
        loss = 1.8 + 480 * N**-0.35 + 2000 * D**-0.37
        lines.append(f"r{k},{N:.6g},{D:.6g},{6 * N * D:.6g},{loss:.6f}\n")
    return "".join(lines)


def with_last_loss(loss: str) -> str:
    return HEADER + rows() + f"bad,1e8,1e10,6e18,{loss}\n"


TABLES = {
    "empty file": ("", "bad.csv: the file is empty; expected a header and rows"),
    "header only": (HEADER, "bad.csv: no runs found; a run table needs at least one row"),
    "wrong columns": (
        "width,depth\n1,2\n",
        "bad.csv: column `n_params` is needed and absent (found: width, depth); name it with "
        "--columns n_params=COLUMN",
    ),
    "text in a number": (
        with_last_loss("three"),
        "bad.csv row 13 `loss`: expected a number, found 'three'",
    ),
    "NaN": (
        with_last_loss("NaN"),
        "bad.csv row 13 `loss`: found NaN; leave the cell empty and set status to diverged, or "
        "drop the row",
    ),
    "negative loss": (
        with_last_loss("-2.5"),
        "bad.csv row 13 `loss`: found -2.5, expected a positive number",
    ),
    "no loss": (
        with_last_loss(""),
        "bad.csv row 13 `loss`: no value; fill it in, drop the row, or mark its status",
    ),
    "one row": (
        HEADER + rows(1),
        "bad.csv: 1 distinct run cannot determine the 5 parameters of chinchilla; at least 6 are "
        "needed",
    ),
    "ten thousand copies": (
        HEADER + rows(1) * 10_000,
        "bad.csv: 1 distinct run (10000 rows, all copies) cannot determine the 5 parameters of "
        "chinchilla; at least 6 are needed",
    ),
    "ragged": (HEADER + "r,1,2\n", "bad.csv row 1: 3 cells, but the header has 5"),
    "repeated column": (
        "loss,loss\n1,2\n",
        "bad.csv: column 'loss' appears twice in the header",
    ),
    "mixed units": (
        "N,D,loss,loss_unit\n" + "".join(
            f"{10**k},{10**(9 - k)},3.{k},{'nats/token' if k % 2 else 'bits/byte'}\n"
            for k in range(1, 8)
        ),
        "bad.csv `loss_unit`: losses in different units (bits/byte in rows 2, 4, 6, nats/token in "
        "rows 1, 3, 5 and 1 more) cannot be fitted together; select one",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_a_bad_table_is_one_line_naming_file_row_and_field(isoflop, case: str) -> None:
    text, message = TABLES[case]
    Path("bad.csv").write_text(text)
    result = isoflop("fit", "bad.csv", "--json")
    assert (result.code, result.error) == (2, message)


USAGE = {
    "no such file": (["fit", "none.csv"], "none.csv: no such file"),
    "folder": (["fit", "folder.csv"], "folder.csv: cannot be read (Is a directory)"),
    "binary": (["fit", "binary.csv"], "binary.csv: not UTF-8 text (byte 0)"),
    "unknown format": (
        ["fit", "runs.xlsx"],
        "runs.xlsx: cannot tell the format; expected one of .csv, .tsv, .txt, .jsonl, .parquet; "
        "isoflop import runs.xlsx -o runs.csv turns others into a run table",
    ),
    "unknown form": (
        ["fit", "runs.csv", "--law", "chinchila"],
        "unknown law 'chinchila'; did you mean chinchilla",
    ),
    "constants where a form belongs": (
        ["fit", "runs.csv", "--law", "besiroglu-2024"],
        "besiroglu-2024 is published constants of the form chinchilla; fit --law chinchilla, or",
    ),
    "form where constants belong": (
        ["plan", "--law", "chinchilla", "--flops", "1e20"],
        "chinchilla is a form without constants: fit it, or use constants of it such as besi",
    ),
    "runs where a law belongs": (
        ["plan", "--law", "runs.csv", "--flops", "1e20"],
        "runs.csv: a run table; fit it first, `isoflop fit runs.csv -o law.json`",
    ),
    "form of one variable": (
        ["fit", "runs.csv", "--law", "power"],
        "power is a law of one variable; say which, such as --over flops",
    ),
    "unknown variable": (
        ["fit", "runs.csv", "--law", "power", "--over", "flop"],
        "unknown variable 'flop'; did you mean flops?",
    ),
    "nonsense columns": (
        ["fit", "runs.csv", "--columns", "nonsense"],
        "--columns wants name=column, found 'nonsense'",
    ),
    "columns that are not there": (
        ["fit", "runs.csv", "--columns", "loss=los"],
        "unknown column 'los'; did you mean loss or flops?",
    ),
    "run that is not there": (
        ["fit", "runs.csv", "--drop-rows", "drop.txt"],
        "unknown run or row 'row 99'; did you mean row 9 or ",
    ),
    "list that is not there": (
        ["fit", "runs.csv", "--drop-rows", "none.txt"],
        "none.txt: cannot be read as a list of runs, one a line",
    ),
    "dropping all": (
        ["fit", "runs.csv", "--drop-highest-loss", "45"],
        "cannot drop 45 of 45 runs",
    ),
    "unknown cluster": (
        ["fit", "runs.csv", "--cluster", "famly"],
        "unknown column 'famly'; known: flops, loss, n_params, n_tokens",
    ),
    "derive what is there": (
        ["fit", "runs.csv", "--derive", "flops"],
        "runs.csv `flops`: already recorded; drop the column to derive C = 6ND instead",
    ),
    "no threshold": (
        ["fit", "runs.csv", "--delta", "0"],
        "delta must be positive and finite, found 0.0",
    ),
    "endless threshold": (
        ["fit", "runs.csv", "--delta", "inf"],
        "delta must be positive and finite, found inf",
    ),
    "level of nothing": (
        ["fit", "runs.csv", "--level", "nan"],
        "level must lie between 0 and 1, found nan",
    ),
    "unwritable": (
        ["fit", "runs.csv", "--bootstrap", "0", "-o", "runs.csv/law.json"],
        "runs.csv: File exists",
    ),
    "unknown option": (["fit", "runs.csv", "--lwa", "power"], "No such option '--lwa'"),
    "unknown method": (["fit", "runs.csv", "--method", "a2"], "Invalid value for '--method'"),
    "missing argument": (["fit"], "Missing argument 'RUNS'"),
    "unknown command": (["crosing"], "unknown command 'crosing'; did you mean crossing?"),
    "unknown law": (
        ["plan", "--law", "besiroglu-2025", "--flops", "1e20"],
        "unknown law 'besiroglu-2025'; did you mean besiroglu-2024",
    ),
    "name beyond any file's": (
        ["plan", "--law", "x" * 5000, "--flops", "1e20"],
        "x" * 60 + "…: File name too long",
    ),
    "no budget": (
        ["plan", "--law", "besiroglu-2024", "--flops", "0"],
        "Invalid value for '--flops': expected a positive number, found '0'",
    ),
    "negative budget": (
        ["plan", "--law", "besiroglu-2024", "--flops", "-1e20"],
        "Invalid value for '--flops': expected a positive number, found '-1e20'",
    ),
    "budget that is no number": (
        ["plan", "--law", "besiroglu-2024", "--flops", "nan"],
        "Invalid value for '--flops': expected a positive number, found 'nan'",
    ),
    "endless budget": (
        ["plan", "--law", "besiroglu-2024", "--flops", "inf"],
        "Invalid value for '--flops': expected a positive number, found 'inf'",
    ),
    "budget in words": (
        ["plan", "--law", "besiroglu-2024", "--flops", "lots"],
        "Invalid value for '--flops': ",
    ),
    "law without a file": (
        ["plan", "--law", "none.json", "--flops", "1e20"],
        "none.json: no such file",
    ),
    "empty law": (
        ["plan", "--law", "empty.json", "--flops", "1e20"],
        "empty.json: not valid JSON (Expecting value: line 1 column 1 (char 0))",
    ),
    "broken law": (
        ["plan", "--law", "broken.json", "--flops", "1e20"],
        "broken.json: not valid JSON (",
    ),
    "law that is none": (
        ["plan", "--law", "list.json", "--flops", "1e20"],
        "list.json: not a fit; expected a file written by `isoflop fit -o`",
    ),
    "law of other variables": (
        ["plan", "--law", "kaplan-2020-l-n", "--flops", "1e20"],
        "power is a law of n_params; a plan needs one of n_params and n_tokens, such as "
        "besiroglu-2024, or a fit of chinchilla (isoflop fit -o)",
    ),
    "prediction from too little": (
        ["predict", "--law", "besiroglu-2024", "--n-params", "7B"],
        "chinchilla is a law of n_params, n_tokens; give --n-tokens",
    ),
    "prediction from nothing": (
        ["predict", "--law", "besiroglu-2024", "--n-params", "0", "--n-tokens", "1"],
        "Invalid value for '--n-params': expected a positive number, found '0'",
    ),
    "unknown published law": (
        ["laws", "show", "besiroglu"],
        "unknown law 'besiroglu'; did you mean besiroglu-2024",
    ),
    "crossing of a law with itself": (
        ["crossing", "--compute-law", "nobody"],
        "unknown law 'nobody'",
    ),
    "no layers": (
        ["count", "--n-layer", "0", "--d-model", "64"],
        "n_layer must be a positive integer, found 0",
    ),
    "no width": (
        ["count", "--n-layer", "2", "--d-model", "-64"],
        "d_model must be a positive integer, found -64",
    ),
    "no hidden width": (
        ["count", "--n-layer", "2", "--d-model", "64", "--d-ff", "0"],
        "--d-ff must be a positive integer, found 0",
    ),
    "half a layer": (["count", "--n-layer", "1.5", "--d-model", "64"], "Invalid value for "),
    "unknown shell": (["completion", "tcsh"], "Invalid value for "),
}


@pytest.mark.parametrize("case", USAGE)
def test_bad_usage_is_one_line_with_the_way_out(isoflop, runs: str, case: str) -> None:
    arguments, message = USAGE[case]
    Path("folder.csv").mkdir()
    Path("binary.csv").write_bytes(bytes(range(255, 128, -1)))
    Path("drop.txt").write_text("1\nrow 99\n")
    Path("empty.json").write_text("")
    Path("broken.json").write_text('{"format": ')
    Path("list.json").write_text("[]")
    result = isoflop(*arguments)
    assert result.code == 2
    assert result.error.startswith(message)


def test_what_cannot_be_answered_exits_with_1(isoflop) -> None:
    lines = [f"{10**k},{20 * 10**k},{4 - k / 4}" for k in range(5, 12)]
    Path("ray.csv").write_text("N,D,loss\n" + "\n".join(lines) + "\n")
    result = isoflop("fit", "ray.csv")
    assert result.code == 1
    assert "lie on one ray" in result.error


def test_a_fit_that_fails_leaves_the_old_file(isoflop, runs: str) -> None:
    Path("law.json").write_text("precious")
    assert isoflop("fit", runs, "--law", "nobody", "-o", "law.json").code == 2
    assert Path("law.json").read_text() == "precious"
