"""The proxy between us and the web: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, also in lower case.

As curl and requests read them. Standard library only.
"""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment
from urllib.request import proxy_bypass_environment as is_bypassed  # type: ignore[attr-defined]

from engine.errors import BadSetting

_KEYS = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_SCHEMES = {"wss": "https", "ws": "http"}
_PORTS = {"https": 443, "http": 80}
_BAD = (
    "The address of the proxy is not valid; HTTPS_PROXY and HTTP_PROXY must be like "
    "http://proxy.example:8080, with %40 for @ and %2F for / in a password."
)


@dataclass(frozen=True)
class Proxy:
    """A proxy that speaks HTTP, itself perhaps encrypted."""

    scheme: str  # "http" or "https"
    host: str
    port: int
    name: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """Without name and password."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def proxy_for(url: str) -> Proxy | None:
    """The proxy that the process's environment names for this address (https, http, wss or ws), if any.

    Raises `BadSetting`, which does not repeat what may hold a password.
    """
    parts = urlsplit(url)
    scheme = _SCHEMES.get(parts.scheme, parts.scheme)
    named = getproxies_environment()
    text = named.get(scheme) or named.get("all")
    if not text or _goes_direct(parts.hostname or "", parts.port or _PORTS[scheme], named):
        return None
    return _parsed(text.strip())


def check_proxies() -> None:
    """Raises `BadSetting` when a proxy is named that cannot be used."""
    named = getproxies_environment()
    for scheme in ("https", "http", "all"):
        if named.get(scheme):
            _parsed(named[scheme].strip())


def export(file: Mapping[str, str]) -> None:
    """Let the proxies of a settings file hold for the libraries too, which read the environment itself."""
    for key in _KEYS:
        there = any(os.environ.get(name) is not None for name in (key, key.lower()))
        for name in (key, key.lower()):
            if name in file and not there:
                os.environ[name] = file[name]


def _goes_direct(host: str, port: int, named: dict[str, str]) -> bool:
    """Whether NO_PROXY names this host: itself, its end, it with its port, its network, or all by *."""
    if is_bypassed(f"{host}:{port}" if ":" not in host else host, named):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return any(_is_within(address, part.strip()) for part in named.get("no", "").split(","))


def _is_within(address: ipaddress.IPv4Address | ipaddress.IPv6Address, network: str) -> bool:
    try:
        return address in ipaddress.ip_network(network.strip("[]"), strict=False)
    except ValueError:
        return False


def _parsed(text: str) -> Proxy:
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.port == 0:
            raise ValueError("no proxy's address")
        port = parts.port or _PORTS[parts.scheme]
        host = parts.hostname.encode("idna").decode("ascii") if ":" not in parts.hostname else parts.hostname
    except ValueError as error:  # UnicodeError is one
        raise BadSetting(_BAD) from error
    return Proxy(parts.scheme, host, port, unquote(parts.username or ""), unquote(parts.password or ""))
