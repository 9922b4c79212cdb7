"""The users of a book: names, roles and passwords, from the command line as from a program."""

import io
from pathlib import Path
from typing import Any

import pytest
from parley.service.access.errors import UserRefused, WeakPassword
from parley.service.access.passwords import is_password
from parley.service.access.store import AccessStore

PASSWORD = "correct horse battery staple"


def _typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text + "\n"))


def test_a_user_is_added_listed_and_shut_out(parley: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, role in (("ada", "admin"), ("vic", "viewer")):
        _typed(monkeypatch, PASSWORD)
        assert parley("user", "add", name, "--role", role, "--json").document == {"user": name, "role": role}
    made = parley("user", "token", "vic", "--days", "7", "--json").document
    assert parley("user", "disable", "vic").code == 0

    listed = parley("user", "list", "--json").document
    log = parley("user", "log", "--json").document

    assert [(user["user"], user["disabled"]) for user in listed["users"]] == [("ada", False), ("vic", True)]
    assert made["scopes"] == ["chat", "read"] and "token" not in listed["tokens"][0]
    assert [call["action"] for call in log["last"]] == [
        "user add ada admin",
        "user add vic viewer",
        f"user token vic {made['token_id']}",
        "user disable vic",
    ]
    for path in (item for item in Path("book").rglob("*") if item.is_file()):
        assert PASSWORD.encode() not in path.read_bytes() and made["token"].encode() not in path.read_bytes()
        if not path.name.endswith(".lock"):
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_password_is_never_an_argument(parley: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _typed(monkeypatch, PASSWORD)

    assert parley("user", "add", "ada", "--password", PASSWORD).code == 2


@pytest.mark.parametrize("password", ["", "short", "x" * 1_025, "twelve chars\n and a line", "tab\there and more"])
def test_a_password_that_is_too_short_too_long_or_untypable_is_refused(tmp_path: Path, password: str) -> None:
    with pytest.raises(WeakPassword):
        AccessStore(tmp_path).add_user("ada", "admin", password)


@pytest.mark.parametrize("name", ["", "Ada", "a/b", "../x", "a b", "a" * 33, "-a", "ada\n", "ädä"])
def test_a_name_that_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserRefused):
        AccessStore(tmp_path).add_user(name, "admin", PASSWORD)


def test_a_book_keeps_an_admin(tmp_path: Path) -> None:
    store = AccessStore(tmp_path)
    store.add_user("ada", "admin", PASSWORD)

    with pytest.raises(UserRefused, match="last admin"):
        store.set_disabled("ada", True)
    with pytest.raises(UserRefused, match="last admin"):
        store.set_role("ada", "viewer")
    with pytest.raises(UserRefused):
        store.add_user("ada", "viewer", PASSWORD)
    assert store.user("ada").role == "admin" and not store.user("ada").is_disabled


def test_a_change_of_another_process_is_seen_at_the_next_look(tmp_path: Path) -> None:
    here, there = AccessStore(tmp_path), AccessStore(tmp_path)
    here.add_user("ada", "admin", PASSWORD)
    assert there.user("ada").role == "admin"

    here.add_user("vic", "viewer", PASSWORD)
    here.set_disabled("vic", True)

    assert there.user("vic").is_disabled


def test_passwords_are_argon2id_and_salted(tmp_path: Path) -> None:
    store = AccessStore(tmp_path)
    first, second = (store.add_user(name, "admin", PASSWORD).password_hash for name in ("ada", "bob"))

    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and first != second
    assert is_password(PASSWORD, first) and not is_password(PASSWORD + "x", first) and not is_password(PASSWORD, None)
