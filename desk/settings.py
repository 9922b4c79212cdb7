"""The one typed settings object: defaults run on a laptop with nothing set; TOML and PARLEY_* override."""

import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, SecretStr, ValidationError

from ..domain.canonical import content_hash
from ..domain.model import Model
from ..execution.breaker_rules import USUAL_RULES, BreakerRules
from .errors import SettingsInvalid

SETTINGS_FILE = "parley.toml"
PREFIX = "PARLEY_"


class LlmSettings(Model):
    """Where a language model is, when one is asked for. `rules` needs none of this."""

    base_url: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    timeout_s: float = Field(default=30.0, gt=0)
    max_tokens: int = Field(default=2000, ge=64)


class PolicySettings(Model):
    """The default policy's numbers, as in the strategy notes."""

    vol_target: float = Field(default=0.06, gt=0, le=1)
    max_gross: float = Field(default=1.0, gt=0, le=4)
    dd_limit: float = Field(default=0.08, gt=0, lt=1)
    band: float = Field(default=0.20, ge=0, le=2)


class CostSettings(Model):
    """What trading costs on the paper venue, and what the desk expects it to cost."""

    half_spread_bps: float = Field(default=2.0, ge=0, le=500)
    fee_bps: float = Field(default=1.0, ge=0, le=500)
    impact_coefficient: float = Field(default=1.0, ge=0, le=10)
    assumed_daily_volume: float = Field(default=200e6, gt=0)
    max_slices: int = Field(default=13, ge=1, le=390)
    min_child_notional: float = Field(default=5000.0, gt=0)
    budget_bps: float = Field(default=25.0, gt=0)


class Settings(Model):
    """Everything that can be set. Secrets and file paths stay out of `public`, and so out of the log."""

    environment: Literal["development", "staging", "production"] = "development"
    cash: Decimal = Field(default=Decimal("1000000"), gt=0)
    limits_file: Path | None = None
    llm: LlmSettings = LlmSettings()
    policy: PolicySettings = PolicySettings()
    costs: CostSettings = CostSettings()
    breakers: BreakerRules = USUAL_RULES

    def public(self) -> dict[str, JsonValue]:
        """The settings that decide what the desk does, as recorded with a run.

        `llm.max_tokens` is part of every question's hash, so a replay needs it; the endpoint is not.
        """
        shared = {
            "environment": True,
            "cash": True,
            "policy": True,
            "costs": True,
            "breakers": True,
            "llm": {"max_tokens"},
        }
        return self.model_dump(mode="json", include=shared)

    def hash(self) -> str:
        return content_hash(self.public())


def load_settings(path: Path | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Defaults, then `parley.toml` (or `path`), then PARLEY_* variables such as PARLEY_COSTS__FEE_BPS.

    An empty variable is as good as none: that is how shells and containers take one away.
    """
    data = _from_file(path)
    variables = dict(os.environ) if environ is None else environ
    for name, value in sorted(variables.items()):
        if name.startswith(PREFIX) and value:
            _put(data, name.removeprefix(PREFIX).lower(), value)
    llm = data.setdefault("llm", {})
    if isinstance(llm, dict) and "api_key" not in llm and variables.get("OPENAI_API_KEY"):
        llm["api_key"] = variables["OPENAI_API_KEY"]
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _invalid(error, str(path or SETTINGS_FILE)) from error


def _from_file(path: Path | None) -> dict[str, Any]:
    file = path or Path(SETTINGS_FILE)
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if path is None:
            return {}
        raise SettingsInvalid(f"{file}: no such settings file", remedy="Check --config.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsInvalid(f"{file}: {error}", remedy="Correct the file; it must be TOML.") from error


FLAT_NAMES = {"llm_base_url": "llm__base_url", "llm_model": "llm__model", "llm_api_key": "llm__api_key"}
OTHER_VARIABLES = frozenset({"shared_data", "require_all", "book", "debug", "explore"})
"""PARLEY_* names that are read elsewhere and are no settings of the desk."""


def _put(data: dict[str, Any], name: str, value: str) -> None:
    if name in OTHER_VARIABLES:
        return
    parts = FLAT_NAMES.get(name, name).split("__")
    for part in parts[:-1]:
        child = data.setdefault(part, {})
        if not isinstance(child, dict):
            return
        data = child
    data[parts[-1]] = value


def settings_of_run(public: dict[str, JsonValue]) -> Settings:
    """The settings a run was recorded with; endpoint and secrets are not among them."""
    known = {name: value for name, value in public.items() if name != "limits"}
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        raise SettingsInvalid(
            f"the run's recorded settings are not those of this version: {_complaint(error)}",
            remedy="Run `parley verify`; if the log is sound, use the version of Parley that wrote it.",
        ) from error


def _invalid(error: ValidationError, file: str) -> SettingsInvalid:
    where = _place(error)
    return SettingsInvalid(
        _complaint(error), remedy=f"Correct it in {file} or in {PREFIX}{where.upper().replace('.', '__')}."
    )


def _complaint(error: ValidationError) -> str:
    """What is wrong with the first bad setting. The value stays out of it: it may be a secret."""
    first, where = error.errors(include_input=False)[0], _place(error)
    return f"setting {where} is unknown" if first["type"] == "extra_forbidden" else f"setting {where}: {first['msg']}"


def _place(error: ValidationError) -> str:
    return ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
