"""The one file by itself: what it imports and how it answers; and the same behind `emulation-saas verify`."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.audit.asking import FILE, run_alone
from tests.audit.exports import KEEPER, Lay, exported

CHECKS: Final = ("checkpoint", "inclusion", "consistency", "export", "remember", "dossier")


def imported(source: str) -> set[str]:
    """Return the top-level names of all that is imported, anywhere in a source."""
    nodes = list(ast.walk(ast.parse(source)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in plain | modules}


def test_it_imports_the_standard_library_and_cryptography_only() -> None:
    assert imported(FILE.read_text(encoding="utf-8")) - sys.stdlib_module_names == {"cryptography"}


def test_a_copy_far_from_the_package_verifies(tmp_path: Path, lay: Lay) -> None:
    copy = tmp_path / "verify.py"
    shutil.copyfile(FILE, copy)
    done = run_alone("export", lay(exported(300)), "--vkey", KEEPER.vkey, file=copy)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: ")
    assert "not covered: rollback" in done.stdout


def test_it_says_at_which_position_a_log_was_tampered_with(tmp_path: Path) -> None:
    path = tmp_path / "log.tar"
    path.write_bytes(exported(300).tar().replace(b"p-daodaodao2", b"p-daodaodao3", 7))
    done = run_alone("export", path, "--vkey", KEEPER.vkey)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("tampered: position 1: ")


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_explains_itself(check: str) -> None:
    done = run_alone(check, "--help")
    assert done.returncode == 0
    assert "--vkey" in done.stdout
    assert run_alone(check).returncode == 2


def test_the_service_has_the_same_checks(lay: Lay) -> None:
    service = [sys.executable, "-m", "emulation_saas", "verify"]
    done = subprocess.run([*service, "--help"], check=True, capture_output=True, text=True, timeout=60)
    assert all(check in done.stdout for check in CHECKS)
    command = [*service, "export", str(lay(exported(3))), "--vkey", KEEPER.vkey, "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == run_alone(*command[4:]).stdout
