"""Settings: what overrides what, what is refused and how it is said, and which of them the log may know."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import LlmSettings, Settings, load_settings, settings_of_run
from parley.domain.views import Agent
from pydantic import SecretStr

KEY = "sk-never-to-be-seen"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_defaults_need_nothing() -> None:
    found = load_settings(environ={})

    assert found == Settings()
    assert found.cash == Decimal(1_000_000)
    assert found.llm.base_url is None


def test_the_file_overrides_defaults_and_variables_override_the_file(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("cash = 5000\n[costs]\nfee_bps = 3.0\nhalf_spread_bps = 4.0\n")

    found = load_settings(environ={"PARLEY_COSTS__FEE_BPS": "7.5", "PARLEY_ENVIRONMENT": "staging", "HOME": "/x"})

    assert (found.cash, found.costs.half_spread_bps, found.costs.fee_bps) == (Decimal(5000), 4.0, 7.5)
    assert found.environment == "staging"
    assert found.policy == Settings().policy


def test_a_named_file_is_read_in_place_of_the_one_here(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_text("cash = 1\n")
    other = tmp_path / "other.toml"
    other.write_text("cash = 2\n")

    assert load_settings(other, environ={}).cash == Decimal(2)


def test_the_short_names_of_the_model_variables_work() -> None:
    found = load_settings(
        environ={"PARLEY_LLM_BASE_URL": "http://x/v1", "PARLEY_LLM_MODEL": "small", "PARLEY_LLM_API_KEY": KEY}
    )

    assert found.llm == LlmSettings(base_url="http://x/v1", model="small", api_key=SecretStr(KEY))


def test_the_common_key_is_the_fallback_and_ours_wins() -> None:
    fallback = load_settings(environ={"OPENAI_API_KEY": "theirs"}).llm.api_key
    ours = load_settings(environ={"OPENAI_API_KEY": "theirs", "PARLEY_LLM_API_KEY": "ours"}).llm.api_key

    assert fallback is not None
    assert ours is not None
    assert (fallback.get_secret_value(), ours.get_secret_value()) == ("theirs", "ours")


def test_an_empty_variable_is_as_good_as_none() -> None:
    assert load_settings(environ={"PARLEY_LLM_BASE_URL": "", "PARLEY_CASH": ""}) == Settings()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"PARLEY_FEES": "3"}, "setting fees is unknown"),
        ({"PARLEY_COSTS__FEES": "3"}, "setting costs.fees is unknown"),
        ({"PARLEY_CASH": "-1"}, "setting cash: .*greater than 0"),
        ({"PARLEY_CASH": "much"}, "setting cash: .*decimal"),
        ({"PARLEY_POLICY__BAND": "nan"}, "setting policy.band: .*finite"),
        ({"PARLEY_ENVIRONMENT": "moon"}, "setting environment: .*'development'"),
        ({"PARLEY_LLM": "x", "PARLEY_LLM_MODEL": "y"}, "setting llm: "),
    ],
)
def test_a_bad_variable_is_named(variables: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsInvalid, match=message) as caught:
        load_settings(environ=variables)

    assert "PARLEY_" in caught.value.remedy


def test_a_message_about_a_secret_does_not_show_it() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings(environ={"PARLEY_LLM_API_KEY": KEY, "PARLEY_LLM__TIMEOUT_S": KEY})

    assert KEY not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(("text", "said"), [("cash = ", "parley.toml"), ("cash = 1\ncash = 2", "parley.toml")])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "parley.toml").write_text(text)

    with pytest.raises(SettingsInvalid, match=said) as caught:
        load_settings(environ={})

    assert "TOML" in caught.value.remedy


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "parley.toml").write_bytes(b"environment = '\xff'")

    with pytest.raises(SettingsInvalid, match=r"parley\.toml"):
        load_settings(environ={})


def test_a_missing_named_file_is_an_error_and_a_missing_default_one_is_not(tmp_path: Path) -> None:
    assert load_settings(environ={}) == Settings()
    with pytest.raises(SettingsInvalid, match="no such settings file"):
        load_settings(tmp_path / "gone.toml", environ={})


def test_what_a_run_records_holds_no_secret_and_no_endpoint() -> None:
    settings = Settings(llm=LlmSettings(base_url="http://user:pw@x", api_key=SecretStr(KEY), max_tokens=99))

    recorded = json.dumps(settings.public())

    assert KEY not in recorded
    assert "pw" not in recorded
    assert settings.public()["llm"] == {"max_tokens": 99}
    assert KEY not in repr(settings)


def test_recorded_settings_come_back_as_they_were() -> None:
    settings = Settings(cash=Decimal("12345.67"), llm=LlmSettings(max_tokens=99))

    again = settings_of_run({**settings.public(), "limits": {"max_gross": 1.0}})

    assert again == settings
    assert again.hash() == settings.hash()


def test_settings_recorded_by_another_version_are_refused_with_a_reason() -> None:
    with pytest.raises(SettingsInvalid, match="setting turbo is unknown") as caught:
        settings_of_run({**Settings().public(), "turbo": True})

    assert "verify" in caught.value.remedy


def test_the_hash_moves_with_what_decides_and_not_with_the_endpoint() -> None:
    base = Settings()

    assert Settings(cash=Decimal(2)).hash() != base.hash()
    assert Settings(llm=LlmSettings(base_url="http://x", api_key=SecretStr(KEY))).hash() == base.hash()


def test_agents_are_switched_by_settings_and_a_run_remembers_which() -> None:
    found = load_settings(environ={"PARLEY_AGENTS__RISK": "off", "PARLEY_AGENTS__DEBATE": "on"})

    assert found.agents.silent() == frozenset({Agent.RISK})
    assert found.agents.debate == "on"
    assert settings_of_run(found.public()).agents == found.agents
    assert found.hash() != Settings().hash()


def test_agents_as_usual_leave_the_recorded_settings_as_they_were() -> None:
    assert "agents" not in Settings().public()
    assert Settings().agents.silent() == frozenset()
