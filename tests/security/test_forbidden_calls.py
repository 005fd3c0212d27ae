"""Nothing in the tree can run what it reads: no pickle, no eval, no shell, by its syntax tree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("isoflop", "tests", "benchmarks", "studies", "docs")

MODULES = {"pickle", "_pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal",
           "yaml", "ruamel", "sympy", "asteval", "simpleeval", "numexpr", "jsonpickle", "klepto",
           "sqlitedict"}  # fmt: skip
BUILT_IN = {"eval", "exec", "compile", "__import__"}
LAST_NAMES = {"sympify", "parse_expr", "extractall", "read_pickle", "to_pickle", "literal_eval"}
WHOLE_NAMES = {"os.system", "os.popen", "runpy.run_path", "runpy.run_module", "code.interact",
               "np.fromregex", "torch.save", "torch.jit.load", "os.execv"}  # fmt: skip
MUST_SAY = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "numpy.save": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
}
"""Calls that unpickle unless told otherwise, which must be told."""


def forbidden(source: str) -> list[str]:
    """Return `line: why` of everything forbidden in a file's text."""
    return [f"{line}: {why}" for line, why in _found(ast.parse(source))]


def _found(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            names = []
        for name in names:
            if name.partition(".")[0] in MODULES or name.rpartition(".")[2] in LAST_NAMES:
                yield node.lineno, f"import of {name}"  # pyright: ignore[reportAttributeAccessIssue]
        if isinstance(node, ast.Call):
            why = _call(node)
            if why:
                yield node.lineno, why


def _call(node: ast.Call) -> str:
    name = _dotted(node.func)
    given = {word.arg: word.value for word in node.keywords}
    if name in BUILT_IN | WHOLE_NAMES or name.rpartition(".")[2] in LAST_NAMES:
        return f"call of {name}"
    if name in MUST_SAY:
        word, wanted = MUST_SAY[name]
        said = given.get(word)
        if not (isinstance(said, ast.Constant) and said.value is wanted):
            return f"{name} without {word}={wanted}"
    for word, wanted in (("shell", False), ("allow_pickle", False), ("weights_only", True)):
        said = given.get(word)
        if said is not None and not (isinstance(said, ast.Constant) and said.value is wanted):
            return f"{name} with {word}"
    return ""


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def files() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def test_nothing_forbidden_is_in_the_tree() -> None:
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in files()
        for line in forbidden(path.read_text(encoding="utf-8"))
    }
    assert found == set()
    assert len(files()) > 500


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as json",
        "from pickle import loads",
        "import joblib",
        "import dill.source",
        "from yaml import safe_load",
        "import numpy as np\nnp.load('a.npz', allow_pickle=True)",
        "import numpy as np\nnp.load('a.npz')",
        "import numpy as np\nnp.load('a.npz', allow_pickle=flag)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "pandas.read_pickle(path)",
        "eval('1')",
        "exec(text)",
        "compile(text, 'a', 'exec')",
        "__import__('os')",
        "from sympy import sympify",
        "sympy.sympify(text)",
        "os.system('ls')",
        "subprocess.run('ls', shell=True)",
        "archive.extractall(folder)",
    ],
)
def test_what_is_forbidden_is_found(source: str) -> None:
    assert forbidden(source)


@pytest.mark.parametrize(
    "source",
    [
        "model.eval()",
        "re.compile('a')",
        "np.load('a.npy', allow_pickle=False)",
        "importlib.import_module(f'isoflop.exchange.sources.{name}')",
        "subprocess.run(['ls'], shell=False)",
        "json.load(file)",
    ],
)
def test_what_is_harmless_is_not(source: str) -> None:
    assert forbidden(source) == []
