"""How the desk is served: where, to whom, and how much of it at once."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from .errors import UnsafeAddress

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """Defaults are for one desk on one machine."""

    book: Path
    run: str | None = None
    host: str = "127.0.0.1"
    port: int = 8642
    tls_cert: Path | None = None
    tls_key: Path | None = None
    names: tuple[str, ...] = ()
    """Host names that calls may be made to, beside those of this machine."""
    is_plain_allowed: bool = False
    """Whether others may reach it without TLS: somebody else's TLS is in front of it."""
    body_bytes: int = 64 * 1024
    body_s: float = 10.0
    """How long a body may take to come."""
    header_s: float = 10.0
    """How long the head of a call may take."""
    send_s: float = 30.0
    """How long a client may take to read a piece of a stream."""
    calls_per_s: float = 100.0
    calls_at_once: int = 400
    """Of one user; an address without one has a tenth."""
    streams_per_user: int = 20
    connections: int = 1_000

    def __post_init__(self) -> None:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise UnsafeAddress("only one of certificate and key was given", remedy="Give --tls-cert and --tls-key.")
        if not is_loopback(self.host) and not self.has_tls and not self.is_plain_allowed:
            raise UnsafeAddress(
                f"{self.host} can be reached by others, and there is no TLS",
                remedy="Give --tls-cert and --tls-key; or --plain when a proxy in front of it does TLS; or stay on "
                "127.0.0.1.",
            )

    @property
    def has_tls(self) -> bool:
        return self.tls_cert is not None

    @property
    def is_secure(self) -> bool:
        """Whether cookies go over TLS only: ours, or that of a proxy in front."""
        return self.has_tls or (self.is_plain_allowed and not is_loopback(self.host))

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """What a Host header may say; a page of another name that leads here is not answered."""
        own = frozenset({self.host}) if self.host not in ("", "0.0.0.0", "::") else frozenset[str]()
        return LOOPBACK_NAMES | own | {name.lower() for name in self.names}


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
