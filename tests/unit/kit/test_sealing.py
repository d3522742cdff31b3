"""A sealed secret opens for exactly what it was sealed for, with a key that is there, and never shows itself."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from services.kit.sealing import Binding, Opener, SealBroken, Sealer, SealMismatch, new_keypair, read_binding

BOUND = Binding("t1", "c1", "smtp", "mail.example.org", 587, "starttls", "desk@example.org", 3)
PUBLIC, PRIVATE = new_keypair("k1")
SECRET = {"kind": "password", "password": "hunter2"}
SEALED = Sealer(PUBLIC).seal(SECRET, bound=BOUND)


def _header(sealed: str) -> dict[str, Any]:
    part = sealed.split(".")[0]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def _with_header(header: object) -> str:
    text = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([text, *SEALED.split(".")[1:]])


def test_opens_for_its_binding() -> None:
    assert Opener(PRIVATE).open(SEALED, bound=BOUND) == SECRET


def test_uses_exactly_the_agreed_algorithms() -> None:
    header = _header(SEALED)
    assert (header["alg"], header["enc"], header["kid"]) == ("ECDH-ES", "A256GCM", "k1")
    assert header.keys() == {"alg", "enc", "kid", "epk", "mlt"}


def test_the_binding_reads_without_a_key() -> None:
    assert read_binding(SEALED) == BOUND


def test_two_seals_of_one_secret_differ_and_hide_the_length() -> None:
    other = Sealer(PUBLIC).seal({"kind": "password", "password": "a"}, bound=BOUND)
    assert other != Sealer(PUBLIC).seal({"kind": "password", "password": "a"}, bound=BOUND)
    assert len(other.split(".")[3]) == len(SEALED.split(".")[3])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", "t2"),
        ("channel_id", "c2"),
        ("direction", "imap"),
        ("host", "evil.example"),
        ("port", 465),
        ("security", "none"),
        ("user_name", "other@example.org"),
        ("sealed_version", 4),
    ],
)
def test_each_difference_is_named_and_refused(field: str, value: Any) -> None:
    with pytest.raises(SealMismatch) as caught:
        Opener(PRIVATE).open(SEALED, bound=replace(BOUND, **{field: value}))
    assert caught.value.fields == (field,)
    assert str(value) not in str(caught.value)


def test_a_newer_seal_than_asked_for_opens() -> None:
    assert Opener(PRIVATE).open(SEALED, bound=replace(BOUND, sealed_version=2)) == SECRET


@pytest.mark.parametrize("field", ["host", "tenant", "sealed_version"])
def test_a_header_changed_to_match_does_not_open(field: str) -> None:
    header = _header(SEALED)
    bound = replace(BOUND, **{field: 9 if field == "sealed_version" else "evil.example"})  # type: ignore[arg-type]
    header["mlt"][field] = getattr(bound, field)
    with pytest.raises(SealBroken):
        Opener(PRIVATE).open(_with_header(header), bound=bound)


def test_keys_rotate() -> None:
    new_public, new_private = new_keypair("k2")
    both = {"keys": [*new_private["keys"], *PRIVATE["keys"]]}
    sealed = Sealer({"keys": [*new_public["keys"], *PUBLIC["keys"]]}).seal(SECRET, bound=BOUND)
    assert _header(sealed)["kid"] == "k2"
    assert Opener(both).open(sealed, bound=BOUND) == Opener(both).open(SEALED, bound=BOUND) == SECRET
    with pytest.raises(SealBroken):
        Opener(PRIVATE).open(sealed, bound=BOUND)


def test_another_key_under_the_same_name_does_not_open() -> None:
    with pytest.raises(SealBroken):
        Opener(new_keypair("k1")[1]).open(SEALED, bound=BOUND)


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "dir"},
        {"alg": "ECDH-ES+A256KW"},
        {"alg": "none"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"crit": ["mlt"]},
        {"apu": "AAAA"},
        {"kid": 1},
        {"kid": None},
        {"epk": {}},
        {"epk": "x"},
        {"mlt": {}},
        {"mlt": "x"},
        {"mlt": {"tenant": "t1"}},
    ],
)
def test_other_headers_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SealBroken):
        Opener(PRIVATE).open(_with_header(_header(SEALED) | change), bound=BOUND)


@pytest.mark.parametrize(("alg", "enc"), [("ECDH-ES", "A128GCM"), ("ECDH-ES+A256KW", "A256GCM")])
def test_a_sound_seal_by_another_algorithm_is_refused(alg: str, enc: str) -> None:
    header = {name: value for name, value in _header(SEALED).items() if name != "epk"} | {"alg": alg, "enc": enc}
    registry = jwe.JWERegistry(algorithms=[alg, enc], strict_check_header=False)
    sealed = jwe.encrypt_compact(header, "{}", ECKey.import_key(PUBLIC["keys"][0]), registry=registry)
    for attempt in (sealed, _with_header(_header(SEALED) | {"alg": alg, "enc": enc})):
        with pytest.raises(SealBroken):
            Opener(PRIVATE).open(attempt, bound=BOUND)
        with pytest.raises(SealBroken):
            read_binding(attempt)


@pytest.mark.parametrize("change", [{"port": "587"}, {"port": True}, {"sealed_version": 3.0}, {"direction": "pop3"}])
def test_bound_fields_of_another_type_are_refused(change: dict[str, Any]) -> None:
    header = _header(SEALED)
    header["mlt"] |= change
    with pytest.raises(SealBroken):
        read_binding(_with_header(header))


@pytest.mark.parametrize(
    "garbage",
    ["", ".", "....", "a.b.c.d.e", SEALED + "A", SEALED[:-1], SEALED + "\n", SEALED.replace("..", ".AAAA."), "é" * 30],
)
def test_garbage_is_broken(garbage: str) -> None:
    with pytest.raises(SealBroken):
        Opener(PRIVATE).open(garbage, bound=BOUND)


def test_a_deep_header_is_broken_and_no_crash() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 9_000).decode().rstrip("=")
    with pytest.raises(SealBroken):
        read_binding(".".join([deep, *SEALED.split(".")[1:]]))


def test_every_flipped_part_is_noticed() -> None:
    parts = SEALED.split(".")
    for index in (2, 3, 4):
        flipped = list(parts)
        flipped[index] = ("B" if parts[index][0] == "A" else "A") + parts[index][1:]
        with pytest.raises(SealBroken):
            Opener(PRIVATE).open(".".join(flipped), bound=BOUND)


def test_content_that_is_no_mapping_of_strings_is_broken() -> None:
    key = ECKey.import_key(PUBLIC["keys"][0])
    header = {name: value for name, value in _header(SEALED).items() if name != "epk"}
    registry = jwe.JWERegistry(algorithms=["ECDH-ES", "A256GCM"], strict_check_header=False)
    for content in ("[]", '{"password": 1}', "not json", '"x"'):
        with pytest.raises(SealBroken):
            Opener(PRIVATE).open(jwe.encrypt_compact(header, content, key, registry=registry), bound=BOUND)


def test_an_opened_secret_never_shows_itself() -> None:
    opened = Opener(PRIVATE).open(SEALED, bound=BOUND)
    for text in (repr(opened), str(opened), f"{opened}", f"{[opened]}", "%s" % (opened,)):  # noqa: UP031
        assert "hunter2" not in text


def test_no_error_carries_the_secret_or_the_seal() -> None:
    with pytest.raises(SealBroken) as caught:
        Opener(new_keypair("k1")[1]).open(SEALED, bound=BOUND)
    assert SEALED[:20] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_long_binding_still_seals() -> None:
    bound = replace(BOUND, host="h" * 253, user_name="ü" * 320)
    assert Opener(PRIVATE).open(Sealer(PUBLIC).seal(SECRET, bound=bound), bound=bound) == SECRET


def test_a_secret_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="limited"):
        Sealer(PUBLIC).seal({"password": "x" * 20_000}, bound=BOUND)
