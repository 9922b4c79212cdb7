"""Channels for real: a mail server, a webhook and a file; what is down, unreadable, missing, or hostile."""

import json
import logging
import os
import socket
import sys
from pathlib import Path

import pytest
from parley.desk.alert_settings import AlertSettings
from parley.desk.settings import Settings, load_settings
from parley.service.alerting.causes import NOT_TAKEN, cause_of
from parley.service.alerting.channels import AddressChannel, LogChannel, channels_of, faulty_channels
from parley.service.alerting.errors import AlertsMissing, ChannelInvalid
from parley.service.alerting.messages import Message
from parley.watch.texts import cleaned
from pydantic import SecretStr

from .conftest import Mailbox, Sink, free_port

pytest.importorskip("apprise", reason="apprise is not installed")

HOSTILE = "Halted\r\nBcc: thief@example.com\r\n\r\n<script>x</script> <!channel> https://evil.example"
MESSAGE = Message("Parley critical: halted", "line one\nline two: 5.00 %", "critical")
AT = "2024-01-02T15:00:00+00:00"


def test_a_mail_arrives_with_its_title_and_text(mailbox: Mailbox) -> None:
    channel = AddressChannel("email", 1, SecretStr(mailbox.url))

    assert channel.send(MESSAGE, AT) == ""
    mail = mailbox.mails[0]
    assert (mail["Subject"], mail["To"]) == ("Parley critical: halted", "ada@example.com")
    assert "line two: 5.00 %" in mail.as_string()


def test_a_title_from_outside_adds_no_header_and_no_tag_to_a_mail(mailbox: Mailbox) -> None:
    channel = AddressChannel("email", 1, SecretStr(mailbox.url))

    assert channel.send(Message(cleaned(HOSTILE), cleaned(HOSTILE), "warning"), AT) == ""
    mail = mailbox.mails[0]
    assert mail["Bcc"] is None and "<script>" not in mail.as_string()
    assert "\n" not in mail["Subject"] and "://" not in mail["Subject"]


def test_a_webhook_gets_title_text_and_urgency(sink: Sink) -> None:
    assert AddressChannel("webhook", 1, SecretStr(sink.url)).send(MESSAGE, AT) == ""

    document = sink.documents[0]
    assert (document["title"], document["type"]) == (MESSAGE.title, "failure")
    assert "line two: 5.00 %" in document["message"]


def test_a_service_that_refuses_or_is_not_there_is_said_and_no_address_is_logged(
    sink: Sink, caplog: pytest.LogCaptureFixture
) -> None:
    sink.status = 500
    refused = AddressChannel("webhook", 1, SecretStr(sink.url))
    absent = AddressChannel(
        "email",
        1,
        SecretStr(f"mailto://ada:geheim@127.0.0.1:{free_port()}?from=a@example.com&to=b@example.com&mode=insecure"),
    )

    with caplog.at_level(logging.DEBUG):
        assert refused.send(MESSAGE, AT) == f"{NOT_TAKEN}: it failed by itself (500)"
        assert absent.send(MESSAGE, AT) == f"{NOT_TAKEN}: the connection was refused: no such service runs there"
    assert "secret" not in caplog.text and "geheim" not in caplog.text


def test_a_service_that_refuses_the_login_or_hangs_is_said_so(sink: Sink) -> None:
    sink.status = 401
    assert AddressChannel("webhook", 1, SecretStr(sink.url)).send(MESSAGE, AT).endswith("it refused the login (401)")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        hangs = AddressChannel("sms", 1, SecretStr(f"json://127.0.0.1:{port}/geheim?rto=0.3&cto=0.3"))
        assert hangs.send(MESSAGE, AT) == f"{NOT_TAKEN}: it did not answer in time"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Socket Exception: (535, b'5.7.8 geheim: authentication failed')", "it refused the login (535)"),
        ("Failed to send JSON notification: geheim, error=404.", "there is nothing at that address (404)"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] geheim", "no secure connection could be made"),
        ("(550, b'no such user geheim')", "it refused the sender or a recipient (550)"),
        ("[Errno -2] Name or service not known geheim", "its host's name is not known"),
        ("JSON Payload: {'login': 'geheim'}", ""),
        ("geheim", ""),
    ],
)
def test_a_cause_is_told_in_fixed_words_that_hold_nothing_of_the_line(text: str, words: str) -> None:
    assert cause_of(text) == words


def test_an_address_that_cannot_be_read_is_refused_by_its_number_only() -> None:
    with pytest.raises(ChannelInvalid) as refused:
        AddressChannel("sms", 2, SecretStr("nonsense://tokentoken"))

    assert "alerts.sms" in refused.value.message and "2" in refused.value.message
    assert "tokentoken" not in refused.value.message + refused.value.remedy
    settings = AlertSettings(sms=(SecretStr("json://127.0.0.1/a"), SecretStr("nonsense://x")))
    assert len(faulty_channels(settings)) == 1


def test_without_the_package_an_address_is_a_typed_error_and_the_file_still_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(AlertsMissing) as missing:
        channels_of(tmp_path, AlertSettings(email=(SecretStr("mailto://x"),)))
    assert 'pip install "parley[alerts]"' in missing.value.remedy
    assert [channel.name for channel in channels_of(tmp_path, AlertSettings())] == ["log"]


def test_the_file_holds_one_document_a_line_that_only_its_owner_reads(tmp_path: Path) -> None:
    channel = LogChannel(tmp_path)
    for _ in range(2):
        assert channel.send(MESSAGE, AT) == ""

    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["title"] for line in lines] == [MESSAGE.title] * 2
    assert os.stat(tmp_path / "alerts.jsonl").st_mode & 0o077 == 0
    assert LogChannel(tmp_path / "new" / "book").send(MESSAGE, AT) == "", "a book that does not exist yet is made"
    (tmp_path / "file").write_text("no folder")
    assert LogChannel(tmp_path / "file").send(MESSAGE, AT) != ""


def test_addresses_come_from_file_or_environment_and_are_shown_to_nobody(tmp_path: Path) -> None:
    file = tmp_path / "parley.toml"
    file.write_text('[alerts]\nemail = ["mailto://ada:geheim@host"]\n[alerts.limits]\ndrawdown = 0.07\n')
    found = load_settings(file, {"PARLEY_ALERTS__SMS": "json://a/geheim1 json://b/geheim2"})

    assert [url.get_secret_value() for url in found.alerts.sms] == ["json://a/geheim1", "json://b/geheim2"]
    assert found.alerts.rules()["drawdown"].limit == 0.07
    assert "geheim" not in repr(found) + str(found) + json.dumps(found.public()) + found.model_dump_json()
    assert found.hash() == Settings().hash()
