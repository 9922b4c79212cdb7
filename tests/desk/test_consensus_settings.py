"""How votes are weighed is a setting: off by default, recorded only when it is not, and read back with a run."""

import pytest
from parley.desk.errors import SettingsInvalid
from parley.desk.settings import Settings, load_settings, settings_of_run


def test_the_default_leaves_no_trace_so_that_older_runs_keep_their_settings_hash():
    assert "consensus" not in Settings().public()


def test_a_variable_switches_it_and_a_run_remembers_it():
    settings = load_settings(None, {"PARLEY_CONSENSUS__WEIGHTS": "adapted", "PARLEY_CONSENSUS__REGIME": "switched"})

    assert settings.public()["consensus"] == {"weights": "adapted", "confidence": "as_said", "regime": "switched"}
    assert settings.hash() != Settings().hash()
    assert settings_of_run(settings.public()).consensus == settings.consensus


def test_another_word_is_refused_with_the_setting_named():
    with pytest.raises(SettingsInvalid, match=r"consensus\.weights"):
        load_settings(None, {"PARLEY_CONSENSUS__WEIGHTS": "clever"})
