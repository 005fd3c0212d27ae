"""Fetch one package by the manager that is installed and set up on this machine, pinned by hash.

Nothing of a package is installed or run: `apt-get download`, `npm pack` without scripts, and
`pip download` of wheels only (a source package would run its set-up code).
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from isoflop.base.errors import InputError
from isoflop.lab.data.catalog import Part

TIMEOUT_SECONDS = 1800.0
_CHUNK = 1 << 20


def fetch_archive(part: Part, folder: Path, *, pinned: bool = True) -> Path:
    """Return the archive of a package, fetched unless `folder` has it already.

    Args:
        part: what to fetch; not of the back end `hf`.
        folder: where archives are kept, by hash of what was asked for.
        pinned: ask for the exact version and hold it against its hash; else take the version
            that the package manager offers.

    Raises:
        InputError: the manager is absent or fails, or the archive is not the pinned one.
    """
    key = hashlib.sha256(f"{part} {part.sha256 if pinned else 'any'}".encode()).hexdigest()[:16]
    kept = folder / key
    found = _only_file(kept)
    if found is not None and (not pinned or _sha256(found) == part.sha256):
        return found
    shutil.rmtree(kept, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as temporary:
        _run(_COMMANDS[part.backend](part, pinned, temporary), part, temporary)
        archive = _only_file(Path(temporary))
        if archive is None:
            raise InputError(f"{part}: {part.backend} ended well but left no single archive")
        _check_hash(archive, part, pinned)
        kept.mkdir()
        return Path(shutil.move(archive, kept / archive.name))


def archive_hash(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    return _sha256(path)


def _apt(part: Part, pinned: bool, folder: str) -> list[str]:
    wanted = f"{part.package}={part.version}" if pinned else part.package
    # Root's downloads would else be tried as a user who may not write here.
    return ["apt-get", "download", "-q", "-o", "APT::Sandbox::User=root", wanted]


def _npm(part: Part, pinned: bool, folder: str) -> list[str]:
    wanted = f"{part.package}@{part.version}" if pinned else part.package
    flags = ["--ignore-scripts", "--silent", "--pack-destination", folder]
    return ["npm", "pack", wanted, *flags]


def _pip(part: Part, pinned: bool, folder: str) -> list[str]:
    wanted = f"{part.package}=={part.version}" if pinned else part.package
    flags = ["--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "-q"]
    return [sys.executable, "-m", "pip", "download", *flags, "-d", folder, wanted]


_COMMANDS: Mapping[str, Callable[[Part, bool, str], list[str]]] = {
    "apt": _apt,
    "npm": _npm,
    "pip": _pip,
}
"""A further package manager is one function and one line here."""


def _run(command: list[str], part: Part, folder: str) -> None:
    if shutil.which(command[0]) is None:
        raise InputError(
            f"{part}: {command[0]} is not on this machine; get the corpus where it is, and copy "
            "its folder (isoflop corpus show names it)"
        )
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{part}: {command[0]} took more than {TIMEOUT_SECONDS:.0f} s") from None
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if line.startswith(("E:", "ERROR:", "npm error"))]
        why = (errors or said or ["no reason given"])[-1].strip()
        raise InputError(f"{part}: {part.backend} failed: {why[:300]}; {_REMEDIES[part.backend]}")


_REMEDIES: Mapping[str, str] = {
    "apt": "run apt-get update, or give --unpinned to take the version it offers",
    "npm": "check the network and npm's registry setting",
    "pip": "check the network, pip's index setting and that pip is installed",
}


def _check_hash(archive: Path, part: Part, pinned: bool) -> None:
    digest = _sha256(archive)
    if pinned and digest != part.sha256:
        wanted = part.sha256 or "a pinned hash, and there is none"
        raise InputError(
            f"{part}: the archive's sha256 is {digest}, expected {wanted}; nothing was kept "
            "(--unpinned takes it as it is)"
        )


def _only_file(folder: Path) -> Path | None:
    found = [path for path in folder.glob("*") if path.is_file()] if folder.is_dir() else []
    return found[0] if len(found) == 1 else None


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
