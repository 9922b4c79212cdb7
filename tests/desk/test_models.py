"""Which model a name and the settings make, and what is refused before anything is asked."""

from pathlib import Path

import pytest
from parley.agents.errors import ModelMissing, PriceUnknown
from parley.agents.llm.dialect import OutputForm
from parley.agents.llm.routed import RoutedModel
from parley.agents.llm.rules import RulesModel
from parley.desk.errors import SettingsInvalid
from parley.desk.llm_settings import LlmSettings, SpendingSettings
from parley.desk.models import build_model, gateway_terms
from parley.desk.settings import Settings, load_settings

URL = "http://127.0.0.1:9/v1"


def test_the_rules_are_the_rules_even_for_a_node_of_their_own() -> None:
    assert isinstance(build_model("rules", LlmSettings(nodes={"analyst": "rules"})), RulesModel)


def test_nodes_with_other_models_are_routed_under_the_usual_name() -> None:
    model = build_model("large", LlmSettings(base_url=URL, nodes={"sentiment": "small", "analyst": "rules"}))

    assert isinstance(model, RoutedModel)
    assert (model.name, model.is_deterministic) == ("large", False)


def test_a_nodes_model_needs_an_endpoint_too() -> None:
    with pytest.raises(SettingsInvalid, match="'small' needs an endpoint"):
        build_model("rules", LlmSettings(nodes={"sentiment": "small"}))


def test_a_local_file_needs_no_endpoint_but_has_to_be_there(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no model file there"):
        build_model(f"local:{tmp_path / 'none.gguf'}", LlmSettings())


def test_a_replay_needs_no_endpoint() -> None:
    model = build_model("large", LlmSettings(mode="replay-or-fail"))

    assert (model.name, model.is_deterministic) == ("large", True)


def test_every_model_of_a_priced_run_needs_a_price(tmp_path: Path) -> None:
    file = tmp_path / "prices.toml"
    file.write_text('day = 2026-11-01\ncurrency = "EUR"\n[models.large]\nprompt = 1\ncompletion = 2\n')
    settings = LlmSettings(base_url=URL, prices_file=file)

    assert build_model("large", settings).name == "large"
    with pytest.raises(PriceUnknown, match="'small'"):
        build_model("large", settings.model_copy(update={"nodes": {"sentiment": "small"}}))


def test_a_bound_in_money_without_a_price_table_is_refused() -> None:
    settings = LlmSettings.model_validate({"base_url": URL, "day": {"cost": "5"}})

    with pytest.raises(SettingsInvalid, match="no price table"):
        build_model("large", settings)


def test_the_terms_of_the_gateway_are_the_settings() -> None:
    terms = gateway_terms(LlmSettings(output="json", tools="native", stream=True, retries=1, timeout_s=7))

    assert (terms.form, terms.is_native, terms.is_streaming) == (OutputForm.JSON, True, True)
    assert (terms.retries, terms.timeout_s) == (1, 7.0)
    assert gateway_terms(LlmSettings()).form is OutputForm.SCHEMA


def test_every_bound_can_be_set_by_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    variables = {"PARLEY_LLM__DAY__COST": "2.50", "PARLEY_LLM__DECISION__TOKENS": "9000", "PARLEY_LLM__NODES__A": "b"}

    found = load_settings(environ=variables).llm

    assert found.day == SpendingSettings.model_validate({"cost": "2.50"})
    assert (found.decision.tokens, found.nodes) == (9_000, {"a": "b"})


def test_what_decides_an_answer_is_recorded_and_what_only_pays_for_it_is_not() -> None:
    plain = Settings()

    assert Settings(llm=LlmSettings(base_url=URL, retries=5, mode="live")).hash() == plain.hash()
    assert Settings(llm=LlmSettings(fallback="rules")).hash() != plain.hash()
    assert Settings(llm=LlmSettings(nodes={"analyst": "large"})).hash() != plain.hash()
