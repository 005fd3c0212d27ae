"""The core stays light: nothing heavy is imported before it is needed, or at all."""

import subprocess
import sys
from pathlib import Path

import pytest
from planted import SURFACES, isoflop_design, make_table

from isoflop.exchange.run_tables import write_runs

HEAVY = ("numpy", "scipy", "torch", "matplotlib", "pandas", "pyarrow", "rich", "tokenizers")
EXTRAS = ("torch", "matplotlib", "pandas", "pyarrow", "rich", "tokenizers", "safetensors")

BLOCK = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {EXTRAS!r}:
            raise ModuleNotFoundError("no module named " + name, name=name)
sys.meta_path.insert(0, Block())
"""
"""What a machine with the core install looks like: the extras cannot be imported."""


def run_python(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )


def imported_by(script: str, *arguments: str) -> set[str]:
    """Top-level names in sys.modules after a script that prints nothing on its own."""
    tail = "\nimport sys; print('MODULES', *sorted({n.split('.')[0] for n in sys.modules}))"
    done = run_python(script + tail, *arguments)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = make_table(SURFACES["epoch"], *isoflop_design(SURFACES["epoch"]), noise=0.003)
    return write_runs(table, tmp_path_factory.mktemp("light") / "runs.csv")


def test_importing_isoflop_imports_nothing_heavy() -> None:
    assert not imported_by("import isoflop") & {*HEAVY, "click", "cattrs"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = f"from isoflop.cli.main import run; assert run({arguments!r}) == 0"
    assert not imported_by(script) & set(HEAVY)


def test_fitting_and_planning_import_no_extra(runs: Path) -> None:
    law = runs.with_name("law.json")
    script = (
        "import sys; from isoflop.cli.main import run\n"
        "runs, law = sys.argv[1:]\n"
        "assert run(['fit', runs, '--bootstrap', '20', '-o', law]) == 0\n"
        "assert run(['plan', '--law', law, '--flops', '1e22']) == 0\n"
        "assert run(['count', '--n-layer', '2', '--d-model', '64']) == 0\n"
        "assert run(['crossing']) == 0 and run(['laws']) == 0\n"
    )
    assert not imported_by(script, str(runs), str(law)) & set(EXTRAS)


def test_the_core_install_fits_a_csv(runs: Path) -> None:
    script = BLOCK + (
        "from isoflop.cli.main import run\n"
        "sys.exit(run(['fit', sys.argv[1], '--bootstrap', '0', '--json']))"
    )
    done = run_python(script, str(runs))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("script", "extra"),
    [
        ("isoflop.write_runs(table, sys.argv[1] + '.parquet')", "parquet"),
        ("open(sys.argv[1] + '.parquet', 'w').write('x').bit_length();"
         "isoflop.read_runs(sys.argv[1] + '.parquet')", "parquet"),
        ("isoflop.run_ladder", "train"),
    ],
)  # fmt: skip
def test_a_missing_extra_is_named_in_one_sentence(script: str, extra: str, tmp_path: Path) -> None:
    body = BLOCK + (
        "import isoflop, warnings; warnings.simplefilter('ignore')\n"
        "from isoflop.base.errors import MissingExtraError\n"
        "table = isoflop.RunTable.from_records([{'loss': 3.0}])\n"
        f"try: {script}\n"
        "except MissingExtraError as error: print(error)\n"
        "else: print('nothing raised')"
    )
    done = run_python(body, str(tmp_path / "runs"))
    assert done.stdout.strip().endswith(f"needs an extra: pip install 'isoflop[{extra}]'"), (
        done.stdout + done.stderr
    )
    assert done.stdout.count("\n") == 1
