import click
import pytest

pytest.importorskip("torch")

from isoflop.base.errors import UnknownNameError
from isoflop.cli.ladder_launcher import Wanted, launcher_options, make_launcher
from isoflop.lab.launchers.local import LocalLauncher
from isoflop.lab.launchers.torchrun import TorchrunLauncher


def parse(*words: str) -> Wanted:
    command = click.command()(launcher_options(lambda wanted: wanted))
    return command.main(list(words), standalone_mode=False)


def test_options_name_a_launcher_and_what_torchrun_needs() -> None:
    assert make_launcher(parse()) == LocalLauncher()
    asked = parse("--launcher", "torchrun", "--processes", "2", "--shard")
    assert make_launcher(asked) == TorchrunLauncher(processes=2, shard=True)
    assert make_launcher(parse("--launcher", "torchrun")) == TorchrunLauncher()


@pytest.mark.parametrize("words", [["--shard"], ["--processes", "2", "--launcher", "ray"]])
def test_options_of_torchrun_are_refused_with_another(words: list[str]) -> None:
    with pytest.raises(click.UsageError, match="are options of --launcher torchrun"):
        make_launcher(parse(*words))


def test_a_launcher_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="torchrun"):
        make_launcher(parse("--launcher", "torchrum"))
