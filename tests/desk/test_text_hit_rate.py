"""How often texts are taken to be right is a setting: not set it leaves no trace, set it belongs to the run."""

import pytest
from parley.desk.errors import SettingsInvalid
from parley.desk.models import build_model
from parley.desk.settings import Settings, load_settings, settings_of_run


def test_the_default_leaves_no_trace_so_that_older_runs_keep_their_settings_hash():
    assert Settings().public()["llm"] == {"max_tokens": 2000}


def test_a_run_remembers_it_and_its_rules_are_built_with_it():
    settings = load_settings(None, {"PARLEY_LLM__TEXT_HIT_RATE": "0.6"})

    assert settings.hash() != Settings().hash()
    again = settings_of_run(settings.public())
    assert again.llm.text_hit_rate == 0.6
    assert vars(build_model("rules", again.llm)) == {"_text_hit_rate": 0.6}


@pytest.mark.parametrize("rate", ["0.4", "0.9", "often"])
def test_a_rate_that_nobody_could_have_measured_is_refused(rate: str):
    with pytest.raises(SettingsInvalid, match=r"llm\.text_hit_rate"):
        load_settings(None, {"PARLEY_LLM__TEXT_HIT_RATE": rate})
