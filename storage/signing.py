"""Ed25519 signatures: a key pair kept in a folder, its private half readable by its owner alone."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import StoreCorrupt, StoreMissing, StoreRefused, StoreUnwritable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PRIVATE, PUBLIC = "desk.key", "desk.pub"
OWNER_ONLY = 0o600
NEW_KEY = "Move the file away; the next run makes a new key, and what the old one signed needs its own public key."


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Whoever holds it can check a signature, and nobody can sign with it."""

    raw: bytes

    @property
    def key_id(self) -> str:
        """A short name: the beginning of the SHA-256 of the raw key."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def has_signed(self, signature: str, message: bytes) -> bool:
        """Whether the signature (hex) is this key's over exactly this message."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def pem(self) -> str:
        """The key as text, for whoever shall check."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


class SigningKey:
    """The private half. Ed25519 signatures are deterministic: the same message gives the same signature."""

    def __init__(self, key: "Ed25519PrivateKey") -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """The signature, in hex."""
        return self._key.sign(message).hex()


def own_key(folder: Path) -> SigningKey:
    """The folder's key; the first call makes the pair, and two at once agree on one."""
    path = folder / PRIVATE
    if not path.exists():
        _make(folder)
    return _load(path)


def own_public_key(folder: Path) -> PublicKey | None:
    """The public half of the folder's key; None before anything was signed."""
    path = folder / PUBLIC
    return read_public_key(path) if path.exists() else None


def read_public_key(path: Path) -> PublicKey:
    """A public key from its PEM file."""
    try:
        return public_key(path.read_text(encoding="ascii"), str(path))
    except FileNotFoundError as error:
        raise StoreMissing(f"{path}: no such file", remedy="Name the PEM file of the desk's public key.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise _not_a_key(str(path)) from error


def public_key(pem: str, source: str) -> PublicKey:
    """A public key from PEM text; `source` names where it came from in the error."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _not_a_key(source) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _not_a_key(source)
    return PublicKey(key.public_bytes_raw())


def _make(folder: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = folder / f".{PRIVATE}.{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(private)
        try:
            os.link(draft, folder / PRIVATE)  # never over a key that another process has just made
        except FileExistsError:
            return
        finally:
            draft.unlink()
        _publish(folder, SigningKey(key).public)
    except OSError as error:
        raise StoreUnwritable(
            f"{folder}: no key can be kept there ({error.strerror or error})",
            remedy="Let the book's folder be writable by the user who runs the desk.",
        ) from error


def _publish(folder: Path, public: PublicKey) -> None:
    draft = folder / f".{PUBLIC}.{os.getpid()}"
    draft.write_text(public.pem(), encoding="ascii")
    draft.replace(folder / PUBLIC)


def _load(path: Path) -> SigningKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if path.stat().st_mode & 0o077:
            raise StoreRefused(f"{path}: others may read this private key", remedy=f"Run `chmod 600 {path}`.")
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise StoreCorrupt(f"{path}: not an Ed25519 private key", remedy=NEW_KEY) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise StoreCorrupt(f"{path}: not an Ed25519 private key", remedy=NEW_KEY)
    found = SigningKey(key)
    if own_public_key(path.parent) is None:
        _publish(path.parent, found.public)
    return found


def _not_a_key(source: str) -> StoreCorrupt:
    return StoreCorrupt(
        f"{source}: not an Ed25519 public key in PEM form", remedy=f"Take keys/{PUBLIC} of the book, unchanged."
    )
