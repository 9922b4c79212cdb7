"""Tokens stand for one request of one user for a minute, once; only their hash is kept."""

import hashlib
import stat
from pathlib import Path

import pytest
from parley.service.answers.reader import DeskReader
from parley.service.intents.errors import TokenRefused
from parley.service.intents.tokens import LIFE, TOKENS, TokenStore

INTENT = {"action": "halt", "symbol": "XOM", "reason": "news"}


def test_a_token_gives_back_what_it_stands_for(tokens: TokenStore) -> None:
    token = tokens.issue("ann", INTENT, "state")

    grant = tokens.spend(token, "ann")

    assert (grant.user, grant.intent, grant.state_version) == ("ann", INTENT, "state")


def test_a_token_is_good_once(tokens: TokenStore) -> None:
    token = tokens.issue("ann", INTENT, "state")
    tokens.spend(token, "ann")

    with pytest.raises(TokenRefused, match="used before"):
        tokens.spend(token, "ann")


def test_another_user_spends_a_token_for_everybody(tokens: TokenStore) -> None:
    token = tokens.issue("ann", INTENT, "state")

    with pytest.raises(TokenRefused, match="another user"):
        tokens.spend(token, "bob")
    with pytest.raises(TokenRefused, match="used before"):
        tokens.spend(token, "ann")


@pytest.mark.parametrize("seconds", [LIFE.seconds + 1, -1])
def test_a_token_has_its_minute_whichever_way_the_clock_goes(tokens: TokenStore, clock, seconds: int) -> None:
    token = tokens.issue("ann", INTENT, "state")
    clock.move(seconds)

    with pytest.raises(TokenRefused, match="expired"):
        tokens.spend(token, "ann")


@pytest.mark.parametrize("forged", ["", "x", "../../HALT", "token-0\n", "a" * 10_000, "\ud800"])
def test_a_forged_token_is_none(tokens: TokenStore, forged: str) -> None:
    tokens.issue("ann", INTENT, "state")

    with pytest.raises(TokenRefused, match="no token"):
        tokens.spend(forged, "ann")


def test_only_the_hash_is_kept_and_only_the_owner_may_read_it(tokens: TokenStore, reader: DeskReader) -> None:
    token = tokens.issue("ann", INTENT, "state")

    files = list((reader.book / TOKENS).rglob("*.json"))

    assert [path.stem for path in files] == [hashlib.sha256(token.encode()).hexdigest()]
    assert all(token not in path.read_text() for path in files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE((reader.book / TOKENS).stat().st_mode) == 0o700


def test_a_spoiled_file_is_refused(tokens: TokenStore, reader: DeskReader) -> None:
    token = tokens.issue("ann", INTENT, "state")
    next(path for path in Path(reader.book / TOKENS).rglob("*.json")).write_text("{}")

    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.spend(token, "ann")


def test_old_tokens_are_forgotten_when_a_new_one_is_given(tokens: TokenStore, clock, reader: DeskReader) -> None:
    tokens.spend(tokens.issue("ann", INTENT, "state"), "ann")
    clock.move(2 * 24 * 3600)

    tokens.issue("ann", INTENT, "state")

    assert len(list((reader.book / TOKENS).rglob("*.json"))) == 1
