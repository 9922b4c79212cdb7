"""Settings of the language models: where they are, how they are asked, what they may cost, and what is kept."""

from decimal import Decimal
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from ..domain.model import Model


class SpendingSettings(Model):
    """The most that model calls may use up; what is not set has no bound. Money is in the price table's currency."""

    calls: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    seconds: float | None = Field(default=None, ge=0)
    cost: Decimal | None = Field(default=None, ge=0)


class LlmSettings(Model):
    """Where a language model is, when one is asked for, and how it is asked. `rules` needs none of this."""

    base_url: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    timeout_s: float = Field(default=30.0, gt=0)
    max_tokens: int = Field(default=2000, ge=64)
    nodes: dict[str, str] = {}
    """Another model for a node, by its name: `sentiment = "small"`."""
    fallback: Literal["abstain", "rules"] = "abstain"
    """What a node does whose model gave no usable reply."""
    text_hit_rate: float | None = Field(default=None, ge=0.5, le=0.75)
    """How often the rules take a text score of 1 to be right. Not set, texts give no side by themselves: what was
    measured gives them none (`parley sentiment --sources`). Set, it is an assumption of whoever sets it."""
    encoder: Path | None = None
    """Who reads polarity in texts, with any model: a file or folder that `parley train-sentiment` made. Not set, it is
    the encoder that ships with the desk."""
    mode: Literal["live", "record", "replay", "replay-or-fail"] = "record"
    """`replay` says again what the book has kept and asks the rest; `replay-or-fail` needs no endpoint at all."""
    output: Literal["auto", "schema", "tool", "json", "text"] = "auto"
    """How replies are held to their schema; `auto` begins with the best and goes down where it is refused."""
    tools: Literal["schema", "native"] = "schema"
    """How tools are offered: as a choice by schema, which any endpoint can do, or as the endpoint's own tool calls."""
    stream: bool = False
    stall_s: float = Field(default=15.0, gt=0)
    """A reply that has begun may pause no longer than this."""
    retries: int = Field(default=2, ge=0, le=5)
    max_concurrency: int = Field(default=4, ge=1, le=64)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_cooldown_s: float = Field(default=30.0, gt=0)
    prices_file: Path | None = None
    decision: SpendingSettings = SpendingSettings()
    day: SpendingSettings = SpendingSettings()

    def answering(self) -> set[str]:
        """The fields that decide what a log says of an answer. Those that came later only where they are set:

        the hash of settings that leave them alone is the one older logs hold.
        """
        return {"max_tokens"} | ({"encoder", "fallback", "nodes", "text_hit_rate"} & self.model_fields_set)
