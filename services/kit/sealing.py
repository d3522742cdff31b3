"""Credentials under seal: compact JWE that anyone may compare with the settings and only the owner of a key may open.

Exactly ECDH-ES with A256GCM and no compression (RFC 7516, RFC 7518 section 4.6). What the secret is good for
(`Binding`) stands readable in the protected header as `mlt` and is authenticated with it: a sealed secret moved to
another tenant, channel, host or user does not open. `kid` names the key, so keys rotate: the first public key seals,
every private one opens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter
from joserfc.util import urlsafe_b64decode

Sealed = str
"""A compact JWE: five base64url parts with dots between."""

_ALGORITHMS = ("ECDH-ES", "A256GCM")
_HEADER = frozenset({"alg", "enc", "kid", "epk", "mlt"})
_LONGEST = 16_384
_BLOCK = 64
_SHAPE = re.compile(r"[\w-]+\.\.[\w-]{16}\.[\w-]+\.[\w-]{22}", re.ASCII)


class SealBroken(Exception):
    """Not a sealed secret of ours, for another key, or altered; the message says which, never a value."""


class SealMismatch(Exception):
    """A sound seal for something else; `fields` names what differs, never the values."""

    def __init__(self, differing: tuple[str, ...]) -> None:
        super().__init__("sealed for another " + ", ".join(differing))
        self.fields = differing


@dataclass(frozen=True, slots=True)
class Binding:
    """What a sealed secret is good for; every field is authenticated. `sealed_version` grows with each new secret."""

    tenant: str
    channel_id: str
    direction: Literal["smtp", "imap"]
    host: str
    port: int
    security: str
    user_name: str
    sealed_version: int


class Secret(dict[str, str]):
    """An opened secret: a mapping whose text form never shows its values."""

    def __repr__(self) -> str:
        return f"<secret with {len(self)} fields>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)


class _Registry(jwe.JWERegistry):
    max_protected_header_length = 4_096  # the binding is in it; the default of 1,024 is too short for long host names


def _is_mapping(value: object) -> None:
    if not isinstance(value, dict):
        raise ValueError("must be an object")


def _registry() -> _Registry:
    return _Registry({"mlt": HeaderParameter("what the secret is good for", _is_mapping, True)}, algorithms=_ALGORITHMS)


def new_keypair(kid: str = "k1") -> tuple[dict[str, Any], dict[str, Any]]:
    """A fresh P-256 pair as (public JWKS, private JWKS)."""
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "enc", "alg": "ECDH-ES"})
    return {"keys": [key.as_dict(private=False)]}, {"keys": [key.as_dict(private=True)]}


def _keys(jwks: Mapping[str, Any]) -> dict[str, ECKey]:
    found = {str(entry["kid"]): ECKey.import_key(entry) for entry in jwks["keys"]}
    if not found:
        raise ValueError("a key set without keys")
    return found


class Sealer:
    """Seals with the first key of a public JWKS."""

    def __init__(self, public_jwks: Mapping[str, Any]) -> None:
        self._kid, self._key = next(iter(_keys(public_jwks).items()))
        self._jwe = _registry()

    def seal(self, secret: Mapping[str, str], *, bound: Binding) -> Sealed:
        """Seal the secret for this binding; its length is hidden to a multiple of 64 octets."""
        plain = json.dumps(dict(secret)).encode()
        plain += b" " * (-len(plain) % _BLOCK)
        header = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": self._kid, "mlt": asdict(bound)}
        sealed = jwe.encrypt_compact(header, plain, self._key, registry=self._jwe)
        if len(sealed) > _LONGEST:
            raise ValueError(f"a sealed secret is limited to {_LONGEST} characters")
        return sealed


class Opener:
    """Opens with any key of a private JWKS."""

    def __init__(self, private_jwks: Mapping[str, Any]) -> None:
        self._keys = _keys(private_jwks)
        self._jwe = _registry()

    def open(self, sealed: Sealed, *, bound: Binding) -> Secret:
        """The secret, if it was sealed for exactly this binding.

        A newer `sealed_version` than the one asked for opens (the caller's copy of the channel may lag); an older one
        is a `SealMismatch`, as is any other difference. Raises `SealBroken` for whatever is no sound seal.
        """
        header = _header(sealed)
        key = self._keys.get(header["kid"])
        if key is None:
            raise SealBroken("sealed for a key that is not here")
        _compare(_binding(header), bound)
        try:
            plain = jwe.decrypt_compact(sealed, key, registry=self._jwe).plaintext
        except (JoseError, ValueError) as error:
            raise SealBroken(f"does not open: {type(error).__name__}") from None
        return _secret(plain)


def read_binding(sealed: Sealed) -> Binding:
    """What the secret says it is good for, without a key: a claim until somebody opened it. Raises `SealBroken`."""
    return _binding(_header(sealed))


def _header(sealed: Sealed) -> dict[str, Any]:
    if not isinstance(sealed, str) or len(sealed) > _LONGEST or not _SHAPE.fullmatch(sealed):
        raise SealBroken("not a compact JWE of direct key agreement")
    try:
        header = json.loads(urlsafe_b64decode(sealed.partition(".")[0].encode()))
    except (ValueError, RecursionError):
        raise SealBroken("unreadable header") from None
    if not isinstance(header, dict) or header.keys() != _HEADER or not isinstance(header["kid"], str):
        raise SealBroken("another set of header fields")
    if (header["alg"], header["enc"]) != _ALGORITHMS:
        raise SealBroken("another algorithm")
    return header


def _binding(header: Mapping[str, Any]) -> Binding:
    claimed = header["mlt"]
    names = {field.name for field in fields(Binding)}
    if not isinstance(claimed, dict) or claimed.keys() != names:
        raise SealBroken("another set of bound fields")
    if any(type(claimed[name]) is not (int if name in ("port", "sealed_version") else str) for name in names):
        raise SealBroken("a bound field of another type")
    if claimed["direction"] not in ("smtp", "imap"):
        raise SealBroken("another direction")
    return Binding(**claimed)


def _compare(claimed: Binding, bound: Binding) -> None:
    differing = [
        field.name
        for field in fields(Binding)
        if field.name != "sealed_version" and getattr(claimed, field.name) != getattr(bound, field.name)
    ]
    if claimed.sealed_version < bound.sealed_version:
        differing.append("sealed_version")
    if differing:
        raise SealMismatch(tuple(differing))


def _secret(plain: bytes | None) -> Secret:
    try:
        opened = json.loads(plain or b"")
    except ValueError:
        raise SealBroken("unreadable content") from None
    if not isinstance(opened, dict) or not all(isinstance(value, str) for value in opened.values()):
        raise SealBroken("content of another type")
    return Secret(opened)
