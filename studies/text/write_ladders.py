"""Write the full size's ladders as files, one each: `python -m studies.text.write_ladders`.

They are what the study trains, before brackets give every rung its own rate; any of them runs
alone by `isoflop ladder run`.
"""

from pathlib import Path

from isoflop.base.atomic import write_atomic
from isoflop.runs.ladders.toml import print_ladder
from studies.text.parts import PARTS
from studies.text.sizes import FULL

FOLDER = Path(__file__).parent / "toml"
OUT = Path("study/text")
"""Where the driver puts a study unless told."""


def ladder_files() -> dict[str, str]:
    """Return {name of file: its text}."""
    return {
        f"{training.name}.toml": print_ladder(training.ladder)
        for part in PARTS
        for training in part.ladders(FULL, OUT)
    }


if __name__ == "__main__":
    for name, text in ladder_files().items():
        write_atomic(FOLDER / name, text)
