"""The house itself: every folder ships, floors hold, imports stay relative inside and light at the door."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = [
    path
    for path in ROOT.glob("**/*.py")
    if not str(path.relative_to(ROOT)).startswith(("tests", "build", "dist", "benchmarks", "."))
]


def test_every_package_folder_ships_in_the_wheel() -> None:
    declared = set(CONFIG["tool"]["setuptools"]["packages"])

    found = {".".join(("parley", *path.parent.relative_to(ROOT).parts)) for path in OURS if path.name == "__init__.py"}

    assert found == declared


def test_every_folder_of_code_is_a_package() -> None:
    folders = {path.parent for path in OURS}

    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_every_file_begins_with_a_sentence_that_says_what_it_is_for() -> None:
    silent = [str(path.relative_to(ROOT)) for path in OURS if not path.read_text().startswith('"""')]

    assert silent == []


def test_no_module_passes_five_hundred_lines() -> None:
    long = {str(path.relative_to(ROOT)): lines for path in OURS if (lines := len(path.read_text().splitlines())) > 500}

    assert long == {}


def test_only_one_module_reads_the_clock() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in OURS
        if any(word in path.read_text() for word in ("datetime.now(", "time.time(", "perf_counter", "utcnow("))
    }

    assert readers == {"desk/clock.py"}


def test_each_sdk_is_imported_by_one_folder_only() -> None:
    homes = {
        "langgraph": {"graph"},
        "httpx2": {"agents"},
        "piqp": {"quant"},
        "clarabel": {"quant"},
        "talib": {"quant"},
        "exchange_calendars": {"market"},
        "sqlite3": {"storage", "graph"},
        "rich": {"service"},
        "typer": {"service"},
        "numba": {"quant"},
        "hftbacktest": {"service"},
        "cryptography": {"storage"},
    }
    for package, folders in homes.items():
        users = {
            path.relative_to(ROOT).parts[0]
            for path in OURS
            if any(
                line.strip().startswith((f"import {package}", f"from {package}"))
                for line in path.read_text().splitlines()
            )
        }
        assert users <= folders, package


@pytest.mark.slow
def test_the_wheel_holds_the_packages_the_prompts_and_the_pages(tmp_path: Path) -> None:
    import zipfile

    # A copy, since a build leaves its litter where it runs and the next one would pick it up.
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=shutil.ignore_patterns(".*", "build", "book", "*.db"))
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "--no-build-isolation", "-w", tmp_path, source],
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())

    assert "parley/prompts/analyst/views.md" in names
    assert "parley/gate/default_limits.toml" in names
    assert "parley/service/pages/style.css" in names
    assert "parley/py.typed" in names
    assert not any(name.startswith(("parley/tests", "tests")) for name in names)
