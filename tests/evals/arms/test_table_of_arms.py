"""The table of arms: sixteen teams, each setting one that the desk has, and no way to the arm without a veto."""

import subprocess
import sys

import pytest
from parley.agents.llm.rules import RulesModel
from parley.desk.errors import SettingsInvalid
from parley.desk.llm_settings import LlmSettings
from parley.desk.settings import Settings, load_settings
from parley.domain.views import Agent
from parley.evals.arms.errors import ArmUnknown, ArmUnpriced
from parley.evals.arms.models import cost_usd, model_named
from parley.evals.arms.playing import with_settings
from parley.evals.arms.table import ARMS, FULL, NOBODY, coalitions, find_arm
from parley.evals.arms.widest import widest_limits
from parley.gate.limits import FIXED, load_limits


def test_the_sixteen_teams_are_where_their_bits_say_and_silence_the_others() -> None:
    teams = coalitions()

    assert len(set(teams)) == 16
    assert (teams[0], teams[-1]) == (NOBODY, FULL)
    for row, name in enumerate(teams):
        silent = with_settings(Settings(), find_arm(name).settings).agents.silent()
        assert silent == {agent for place, agent in enumerate(Agent) if not row >> place & 1}


def test_every_arm_sets_what_the_desk_has_and_nothing_else() -> None:
    for arm in ARMS.values():
        changed = with_settings(Settings(), arm.settings).model_dump(mode="json")
        for name, value in arm.settings.items():
            found = changed
            for part in name.split("."):
                found = found[part]
            assert found == value, (arm.name, name)


def test_the_full_desk_is_the_desk_as_it_is_set() -> None:
    assert with_settings(Settings(), find_arm(FULL).settings).hash() == Settings().hash()


def test_an_unknown_arm_is_refused_with_the_names_of_all() -> None:
    with pytest.raises(ArmUnknown, match="without-everything") as error:
        find_arm("without-everything")

    assert "without-risk" in error.value.remedy


def test_every_shipped_limit_is_a_tightening_of_the_widest() -> None:
    limits = load_limits()
    given = {name: value for name, value in limits.model_dump().items() if name not in FIXED}

    assert widest_limits(limits).tighten(**given) == limits


def test_the_widest_limits_lend_neither_money_nor_shares() -> None:
    limits, widest = load_limits(), widest_limits(load_limits())

    kept = ("allow_short", "min_cash", "cash_buffer_frac")
    assert [getattr(widest, name) for name in kept] == [getattr(limits, name) for name in kept]
    assert widest.max_daily_loss_frac == widest.max_var_99_frac == 1.0
    assert widest.max_order_notional > 1e12


def test_no_command_that_trades_reaches_the_widest_limits() -> None:
    """What `parley run`, `decide` and `trade` load does not hold the module, and no setting names a veto."""
    commands = "parley.service.running, parley.service.deciding, parley.service.scheduling, parley.service.cli"
    code = f"import sys, {commands}; sys.exit('parley.evals.arms.widest' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    with pytest.raises(SettingsInvalid, match="veto is unknown"):
        load_settings(None, {"PARLEY_VETO": "off"})


def test_a_billed_model_without_a_price_is_an_error_and_code_is_free() -> None:
    assert cost_usd("rules", LlmSettings(), 10**6, 10**6) == cost_usd("stochastic", LlmSettings(), 1, 1) == 0.0
    with pytest.raises(ArmUnpriced, match="unknown price is not zero"):
        cost_usd("some-model", LlmSettings(), 1, 1)


def test_models_of_code_are_made_by_name() -> None:
    assert isinstance(model_named("rules", LlmSettings(), 1), RulesModel)
    assert model_named("stochastic", LlmSettings(), 1).name == "stochastic"
