"""Keys and signatures: one pair in a folder, for its owner alone, and nothing else passes for it."""

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from parley.storage.errors import StoreCorrupt, StoreMissing, StoreRefused, StoreUnwritable
from parley.storage.signing import PublicKey, own_key, own_public_key, public_key, read_public_key

# RFC 8032, section 7.1, test 2: one byte, 0x72.
RFC_KEY = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
RFC_SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_the_signature_of_rfc_8032_is_genuine_and_over_that_message_only() -> None:
    key = PublicKey(bytes.fromhex(RFC_KEY))

    assert key.has_signed(RFC_SIGNATURE, b"\x72")
    assert not key.has_signed(RFC_SIGNATURE, b"\x73")


def test_the_first_use_makes_a_pair_that_only_its_owner_can_read(tmp_path: Path) -> None:
    key = own_key(tmp_path / "keys")

    assert stat.S_IMODE((tmp_path / "keys" / "desk.key").stat().st_mode) == 0o600
    assert own_public_key(tmp_path / "keys") == key.public
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == ["desk.key", "desk.pub"]


def test_the_same_key_is_found_again(tmp_path: Path) -> None:
    assert own_key(tmp_path).sign(b"head") == own_key(tmp_path).sign(b"head")


def test_a_key_that_was_made_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = own_key(tmp_path / "other")
    made = (tmp_path / "other" / "desk.key").read_bytes()
    exists = Path.exists

    def beaten(path: Path, **named: bool) -> bool:
        """Another process makes the key right after it was looked for."""
        found = exists(path, **named)
        if path.name == "desk.key" and not found:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(made)
            path.chmod(0o600)
        return found

    monkeypatch.setattr(Path, "exists", beaten)

    assert own_key(tmp_path / "keys").public == other.public
    assert own_public_key(tmp_path / "keys") == other.public


def test_the_public_half_goes_round_as_text(tmp_path: Path) -> None:
    key = own_key(tmp_path)

    assert read_public_key(tmp_path / "desk.pub") == key.public == public_key(key.public.pem(), "text")
    assert own_public_key(tmp_path / "elsewhere") is None


@settings(max_examples=40, deadline=None)
@given(message=st.binary(max_size=80), place=st.integers(0, 63), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_signature_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, message: bytes, place: int, bit: int
) -> None:
    key = own_key(tmp_path_factory.getbasetemp() / "flips")
    signature = bytearray.fromhex(key.sign(message))
    signature[place] ^= 1 << bit

    assert key.public.has_signed(key.sign(message), message)
    assert not key.public.has_signed(signature.hex(), message)


@pytest.mark.parametrize("signature", ["", "zz", "00" * 64, "☂"])
def test_what_is_no_signature_is_not_genuine(tmp_path: Path, signature: str) -> None:
    assert not own_key(tmp_path).public.has_signed(signature, b"head")


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    own_key(tmp_path)
    (tmp_path / "desk.key").chmod(0o644)

    with pytest.raises(StoreRefused, match="others may read") as refused:
        own_key(tmp_path)
    assert "chmod 600" in refused.value.remedy


def test_a_damaged_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    own_key(tmp_path)
    (tmp_path / "desk.key").write_text("not a key")

    with pytest.raises(StoreCorrupt, match="not an Ed25519 private key"):
        own_key(tmp_path)
    assert (tmp_path / "desk.key").read_text() == "not a key"


@pytest.mark.parametrize(
    "content", [b"", b"not a key", b"\xff\xfe", b"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"]
)
def test_a_file_that_is_no_public_key_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.pub").write_bytes(content)

    with pytest.raises(StoreCorrupt, match=r"some\.pub: not an Ed25519 public key"):
        read_public_key(tmp_path / "some.pub")


def test_a_missing_public_key_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match=r"absent\.pub"):
        read_public_key(tmp_path / "absent.pub")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreUnwritable, match="no key can be kept there"):
        own_key(tmp_path / "file" / "keys")
