"""The one typed settings object: defaults run on a laptop with nothing set; TOML and PARLEY_* override."""

import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, JsonValue, ValidationError

from ..domain.canonical import content_hash
from ..domain.model import Model
from ..domain.views import Agent
from ..execution.breaker_rules import USUAL_RULES, BreakerRules
from ..execution.routing.state import Rule
from .alert_settings import AlertSettings
from .approval_settings import ApprovalSettings
from .errors import SettingsInvalid
from .llm_settings import LlmSettings

ROUTER = "router"
SETTINGS_FILE = "parley.toml"
PREFIX = "PARLEY_"


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


class VenueSettings(Model):
    """Where a run's orders go: the paper venue, the matching exchange, or a router over several exchanges.

    The usual one is paper on bars, and the exchange where quotes or books were recorded, at once and unhalted.
    The delays are one line's to one exchange; `band_frac` is how far prices may move within five minutes, where
    quotes were recorded. `policy` is the router's rule. Short positions pay `borrow_rate_frac` a year.
    """

    kind: Literal["usual", "paper", "exchange", "routed"] = "usual"
    policy: Rule = Rule.CENSORED
    feed_ms: float = Field(default=5.0, ge=0, le=60_000)
    order_ms: float = Field(default=20.0, ge=0, le=60_000)
    ack_ms: float = Field(default=20.0, ge=0, le=60_000)
    jitter_ms: float = Field(default=10.0, ge=0, le=60_000)
    band_frac: Decimal = Field(default=Decimal("0.05"), gt=0, lt=1)
    borrow_rate_frac: float = Field(default=0.003, ge=0, le=10)

    @property
    def choice(self) -> str:
        """As `--venue` takes it."""
        return f"{self.kind}:{self.policy.value.lower()}" if self.kind == "routed" else self.kind

    def name(self, is_recorded: bool) -> str:
        """What the venue calls itself, in the log and in restrictions."""
        return {"usual": "exchange" if is_recorded else "paper", "routed": ROUTER}.get(self.kind, self.kind)


class ConsensusSettings(Model):
    """How agents' votes are weighed. What the evidence did not show to help is off: `docs/consensus.md` has it."""

    weights: Literal["frozen", "adapted"] = "frozen"
    confidence: Literal["as_said", "calibrated"] = "as_said"
    regime: Literal["same", "switched"] = "same"


Switch = Literal["on", "off"]


class AgentSettings(Model):
    """Who takes part in a decision; an agent that is off abstains. `debate` has a bull and a bear argue where the
    sources disagree, in the place of the analyst's own call."""

    analyst: Switch = "on"
    risk: Switch = "on"
    optimizer: Switch = "on"
    execution: Switch = "on"
    debate: Switch = "off"
    views: tuple[str, ...] = ()
    """Further views of the analyst, as `module:NAME`; see docs/extending.md."""

    def silent(self) -> frozenset[Agent]:
        switches = {
            Agent.ANALYST: self.analyst,
            Agent.RISK: self.risk,
            Agent.OPTIMIZER: self.optimizer,
            Agent.EXECUTION: self.execution,
        }
        return frozenset(agent for agent, switch in switches.items() if switch == "off")


LogCommit = Literal["each", "group", "synced"]


class Settings(Model):
    """Everything that can be set. Secrets and file paths stay out of `public`, and so out of the log."""

    environment: Literal["development", "staging", "production"] = "development"
    cash: Decimal = Field(default=Decimal("1000000"), gt=0)
    limits_file: Path | None = None
    llm: LlmSettings = LlmSettings()
    alerts: AlertSettings = AlertSettings()
    policy: PolicySettings = PolicySettings()
    costs: CostSettings = CostSettings()
    venue: VenueSettings = VenueSettings()
    consensus: ConsensusSettings = ConsensusSettings()
    agents: AgentSettings = AgentSettings()
    breakers: BreakerRules = USUAL_RULES
    approval: ApprovalSettings = ApprovalSettings()
    memory: Switch = "off"
    """Whether lessons are written and shown to later decisions; `docs/agents.md` says what they were worth."""

    as_live: bool = False
    """Recorded days as a live desk would have them: a restart in mid-session is HALTED, what a breaker restricted
    waits for a person, and quotes of all that is held are looked at."""

    growing: bool = False
    """The data file gains its sessions while the run goes on, as `parley trade` finds them on a live clock: the run is
    named by what it began with, and each decision by what it knew."""

    log_commit: LogCommit = "each"
    """How an order is durable before it is sent: `each` event outlives a killed process, `synced` ones a power cut too;
    in a `group` the last 50 ms before a power cut may be lost, and reconciliation finds what they were."""

    book: Literal["long", "neutral"] = "long"
    """`neutral` holds as much short as long. It needs a limits file that allows short sales and daily volumes, by which
    shares are located, and pays `venue.borrow_rate_frac` for them."""

    stop_loss_frac: float | None = Field(default=None, gt=0, lt=1)
    """How far a position may fall below what it cost on average before it is closed; none has a stop without it."""

    stop_orders: Literal["desk", "resting"] = "desk"
    """Who holds the stops: the desk, which watches every quote, or the venue, where those of long positions rest as
    orders good till canceled and stand over night. It needs an exchange and `stop_loss_frac`. Run as live, a halt, a
    kill flag or a restart takes none back that only closes what is held."""

    def public(self) -> dict[str, JsonValue]:
        """The settings that decide what the desk does, as recorded with a run.

        `llm.max_tokens` is part of every question's hash, so a replay needs it; the endpoint is not. The usual
        venue is left out: runs that were recorded before there was a choice had no other.
        """
        shared: dict[str, Any] = {
            "environment": True,
            "cash": True,
            "policy": True,
            "costs": True,
            "breakers": True,
            "llm": self.llm.answering(),
        }
        if self.venue != VenueSettings():
            shared["venue"] = True
        if self.agents != AgentSettings():
            shared["agents"] = True
        if self.consensus != ConsensusSettings():
            shared["consensus"] = True
        if self.approval.mode != "off":
            shared["approval"] = True
        if self.memory != "off":
            shared["memory"] = True
        if self.as_live:
            shared["as_live"] = True
        if self.growing:
            shared["growing"] = True
        if self.book != "long":
            shared["book"] = True
        if self.stop_loss_frac is not None:
            shared["stop_loss_frac"] = True
        if self.stop_orders != "desk":
            shared["stop_orders"] = True
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
        found = Settings.model_validate(data)
    except ValidationError as error:
        raise _invalid(error, str(path or SETTINGS_FILE)) from error
    if found.growing:
        raise SettingsInvalid(
            "setting growing can't be set: a run's data grow where `parley trade` has no end to work to",
            remedy="Leave it out, and give `parley trade` a file without --accelerate, or with --growing.",
        )
    return found


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


def with_venue(settings: Settings, choice: str | None) -> Settings:
    """The settings at another venue: its name, and a router's policy after a colon; None changes nothing."""
    if choice is None:
        return settings
    kind, _, policy = choice.partition(":")
    chosen = settings.venue.model_dump() | {"kind": kind} | ({"policy": policy.upper()} if policy else {})
    try:
        venue = VenueSettings.model_validate(chosen)
    except ValidationError as error:
        rules = ", ".join(rule.value.lower() for rule in Rule)
        raise SettingsInvalid(
            f"--venue {choice!r} is not known",
            remedy=f"Use paper, exchange or routed; after routed: and a colon one of {rules}.",
        ) from error
    if policy and kind != "routed":
        raise SettingsInvalid(f"--venue {choice!r}: only a router has a policy", remedy="Use routed:" + policy)
    return settings.model_copy(update={"venue": venue})


FLAT_NAMES = {"llm_base_url": "llm__base_url", "llm_model": "llm__model", "llm_api_key": "llm__api_key"}
OTHER_VARIABLES = frozenset({"shared_data", "require_all", "book", "debug", "explore", "token"})
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
