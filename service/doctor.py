"""The `doctor` command: what is installed, configured, reachable and missing, and what to do about it."""

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from .. import ParleyError, __version__
from ..desk.settings import Settings, load_settings
from ..gate.limits import load_limits
from .console import Console

NEEDED = (
    "langgraph",
    "langchain-core",
    "autogen-agentchat",
    "chromadb",
    "numpy",
    "pandas",
    "TA-Lib",
    "piqp",
    "skfolio",
    "arch",
    "bokeh-sampledata",
)
LOCAL = "local:"
"""What the name of a model file begins with."""

EXTRAS = {
    "ml": ("torch", "transformers"),
    "ib": ("ib_async",),
    "redis": ("redis",),
    "kafka": ("aiokafka",),
    "postgres": ("psycopg",),
    "clickhouse": ("clickhouse-connect",),
    "mlflow": ("mlflow-skinny",),
    "ray": ("ray",),
    "local": ("xllamacpp",),
    "alerts": ("apprise",),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `state` is ok, missing (needed), optional (not installed, not needed) or bad."""

    what: str
    state: str
    text: str


def perform_doctor(book: Path, config: Path | None, console: Console) -> bool:
    """False when something that the desk needs is missing or bad."""
    findings = [_python(), *map(_package, NEEDED), *_settings(config), _book(book), *map(_extra, EXTRAS)]
    is_well = all(item.state in ("ok", "optional") for item in findings)
    console.result({"ok": is_well, "version": __version__, "findings": [asdict(item) for item in findings]})
    for item in findings:
        console.say(f"{item.state:<9} {item.what:<18} {item.text}")
    return is_well


def _python() -> Finding:
    state = "ok" if sys.version_info >= (3, 11) else "bad"
    return Finding("python", state, f"{platform.python_version()}, {os.cpu_count()} cores")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", version(name))
    except PackageNotFoundError:
        return Finding(name, "missing", "pip install -c requirements.lock .")


def _extra(name: str) -> Finding:
    missing: list[str] = []
    for package in EXTRAS[name]:
        try:
            version(package)
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Finding(f"[{name}]", "optional", f'not installed: pip install "parley[{name}]"')
    return Finding(f"[{name}]", "ok", ", ".join(f"{package} {version(package)}" for package in EXTRAS[name]))


def _settings(config: Path | None) -> list[Finding]:
    try:
        settings = load_settings(config)
        limits = load_limits(settings.limits_file)
    except ParleyError as error:
        return [Finding("settings", "bad", f"{error.message}; {error.remedy}")]
    text = f"{settings.environment}, cash {settings.cash}, settings {settings.hash()[:12]}, limits {limits.hash()[:12]}"
    return [Finding("settings", "ok", text), *_llm(settings), _alerts(settings)]


def _alerts(settings: Settings) -> Finding:
    """Whether the rules and addresses that are set can be used; nothing is sent."""
    from .alerting.channels import faulty_channels

    try:
        settings.alerts.rules()
        faults = faulty_channels(settings.alerts)
    except ParleyError as error:
        return Finding("alerts", "bad", f"{error.message}; {error.remedy}")
    if faults:
        return Finding("alerts", "bad", "; ".join(faults))
    told = ", ".join(f"{kind} {len(urls)}" for kind, urls in settings.alerts.urls().items() if urls)
    text = f"{told}; parley alerts test sends a message to each" if told else "no address is set: book and file only"
    return Finding("alerts", "ok", text)


def _llm(settings: Settings) -> list[Finding]:
    """The language model, asked what it can do; nothing is asked where none is configured."""
    from .model_probe import probe_model

    llm = settings.llm
    if llm.base_url is None and llm.api_key is None and not (llm.model or "").startswith(LOCAL):
        text = "`rules` (deterministic code); set PARLEY_LLM_BASE_URL to use a language model"
        return [Finding("model", "ok", text)]
    try:
        return [Finding(*line) for line in probe_model(llm)]
    except ParleyError as error:
        return [Finding("model", "bad", f"{error.message}; {error.remedy}")]


def _book(book: Path) -> Finding:
    path = book.absolute()
    place = next((item for item in (path, *path.parents) if item.exists()), path)
    if place.is_dir() and os.access(place, os.W_OK):
        return Finding("book", "ok", str(book))
    return Finding("book", "bad", f"{book} cannot be written; choose another folder with --book")
