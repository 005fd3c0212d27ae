"""Run tables spoiled the way editors, scripts, spreadsheets and disks spoil them."""

import json
import random
from collections.abc import Callable

import numpy as np
from planted import SURFACES, isoflop_design

TOKENS = [
    *("", "nan", "inf", "-inf", "-1", "0", "-0.0", "1e400", "1e300", "1e-300", "=1+1", "'", '"'),
    *(",", "\n", "\r", "\r\n", "\t", "\0", "é", "１２", "1_0", "-", "loss", "n_params", "N", "D"),
    *("\ufeff", "#", ";", "9" * 400, "1" * 5000, "true", "None", "null", "3,1", "0x10", "1e5e5"),
    *(
        "\u202e",
        "\u2028",
        "𝟙",
        "finished",
        "diverged",
        "bits/byte",
        "[1]",
        "{}",
        "1.7e308",
        "1e-45",
    ),
]


def good_rows(kind: int) -> list[dict[str, str | float]]:
    """Rows of a table good enough to fit, with more columns from kind to kind."""
    theta = SURFACES["epoch"]
    N, D = isoflop_design(theta, points=7)
    noise = np.exp(0.004 * np.random.default_rng(kind).standard_normal(len(N)))
    E, A, B, alpha, beta = theta
    loss = (E + A * N**-alpha + B * D**-beta) * noise
    rows: list[dict[str, str | float]] = []
    for k, (n, d, value) in enumerate(zip(N.tolist(), D.tolist(), loss.tolist(), strict=True)):
        row: dict[str, str | float] = {"n_params": n, "n_tokens": d, "flops": 6 * n * d}
        if kind % 3:
            row = {"run": f"run-{k}", **row, "status": "finished", "loss_unit": "nats/token"}
        if kind % 3 == 2:
            row |= {"steps": 1000.0 + k, "batch_tokens": 1e4, "n_tokens_unique": d / 4,
                    "tokenizer": "gpt2", "family": "f", "n_experts": 1.0 + k % 8}  # fmt: skip
        rows.append({**row, "loss": value})
    return rows


def spoil(seed: int) -> tuple[str, str]:
    """Return the suffix and the text of one spoiled table."""
    rng = random.Random(seed)
    rows = good_rows(rng.choice([0, 1, 2, 2, 2]))
    for _ in range(rng.randint(0, 2)):
        rng.choice(ROW_SPOILERS)(rng, rows)
    is_csv = seed % 2 == 0
    text = _as_csv(rows, rng) if is_csv else "".join(f"{json.dumps(row)}\n" for row in rows)
    for _ in range(rng.randint(0, 2)):
        text = rng.choice(TEXT_SPOILERS)(rng, text)
    return (".csv" if is_csv else ".jsonl"), text


def _as_csv(rows: list[dict[str, str | float]], rng: random.Random) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    comma = rng.choice([",", ",", ",", ",", ",", ",", "\t", ";"])
    lines = [comma.join(names), *(comma.join(str(row.get(n, "")) for n in names) for row in rows)]
    return "\n".join(lines) + "\n"


def _change_cells(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    for _ in range(rng.randint(1, 4)):
        row = rng.choice(rows)
        row[rng.choice(list(row))] = rng.choice(TOKENS)


def _scale_cells(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    name = rng.choice([key for key, value in rows[0].items() if isinstance(value, float)])
    factor = rng.choice([-1.0, 0.0, 1e-30, 1e-9, 1e-3, 1e3, 1e9, 1e25, 1e50])
    for row in rows if rng.random() < 0.5 else [rng.choice(rows)]:
        if isinstance(row.get(name), float):
            row[name] = float(row[name]) * factor


def _level_column(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    """One value in a whole column, or two columns on one ray."""
    names = [key for key, value in rows[0].items() if isinstance(value, float)]
    name, other = rng.choice(names), rng.choice(names)
    for row in rows:
        row[name] = rows[0][name] if rng.random() < 0.97 else row[name]
        if rng.random() < 0.5 and isinstance(row.get(other), float):
            row[name] = 20 * float(row[other])


def _drop_rows(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    del rows[rng.randint(1, len(rows)) :]


def _repeat_rows(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    rows.extend(dict(rng.choice(rows)) for _ in range(rng.randint(1, 60)))


def _drop_keys(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    name = rng.choice(list(rows[0]))
    for row in rows if rng.random() < 0.5 else [rng.choice(rows)]:
        row.pop(name, None)


def _rename_key(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    name = rng.choice(list(rows[0]))
    new = rng.choice([*TOKENS, "Loss", "val_loss", "N", "tokens", "n params", "n_params "])
    for row in rows:
        if name in row:
            row[new] = row.pop(name)


def _mix_labels(rng: random.Random, rows: list[dict[str, str | float]]) -> None:
    name = rng.choice(
        ["tokenizer", "eval_set", "status", "loss_unit", "family", "schedule", "seed"]
    )
    values = rng.choice([["a", "b"], ["", "a"], ["finished", "running"], ["bits/byte"], [0.0, 1.0]])
    for row in rows:
        row[name] = rng.choice(values)


ROW_SPOILERS: list[Callable[[random.Random, list[dict[str, str | float]]], None]] = [
    *(_change_cells, _change_cells, _scale_cells, _level_column, _drop_rows, _repeat_rows),
    *(_drop_keys, _rename_key, _mix_labels),
]


def _insert(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(TOKENS) + text[at:]


def _cut_out(rng: random.Random, text: str) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + rng.randint(1, 40) :]


def _truncate(rng: random.Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _shuffle(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    return "\n".join([lines[0], *rng.sample(lines[1:], rng.randint(0, len(lines) - 1))])


def _change_digits(rng: random.Random, text: str) -> str:
    digit, other = str(rng.randint(0, 9)), rng.choice(["", "1", "e", ".", "-", " "])
    return text.replace(digit, other, rng.randint(1, 60))


def _double_column(rng: random.Random, text: str) -> str:
    lines = [line.split(",") for line in text.split("\n")]
    at = rng.randrange(len(lines[0]))
    return "\n".join(",".join([*cells, cells[at % len(cells)]]) for cells in lines)


def _quote(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    at = rng.randrange(len(lines))
    lines[at] = ",".join(
        rng.choice([f'"{cell}"', f'"{cell}', cell]) for cell in lines[at].split(",")
    )
    return "\n".join(lines)


def _line_ends(rng: random.Random, text: str) -> str:
    return rng.choice(["\ufeff", "", "\n\n"]) + text.replace(
        "\n", rng.choice(["\r\n", "\r", "\n\n"])
    )


def _nest(rng: random.Random, text: str) -> str:
    depth = rng.choice([2, 100, 20_000])
    return text + "[" * depth + "]" * rng.choice([depth, 0]) + "\n"


def _json_cell(rng: random.Random, text: str) -> str:
    value = rng.choice(["NaN", "Infinity", "[1, 2]", '{"a": 1}', "true", "null", '"3.1"', "1E999"])
    return text.replace(": 6", f': {value}, "x": 6', rng.randint(1, 3))


TEXT_SPOILERS: list[Callable[[random.Random, str], str]] = [
    *(_insert, _insert, _cut_out, _truncate, _shuffle, _change_digits, _double_column, _quote),
    *(_line_ends, _nest, _json_cell),
]
