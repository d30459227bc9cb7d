import time

import jwt
import pytest
from pydantic import SecretStr

from datamate.core.errors import UnauthenticatedError
from datamate.platform.security import AccessTokens, InternalTokens, Principal, service_principal

SECRET = "i" * 32
ALICE = Principal("7", "alice", "EDITOR", frozenset({"dataset:read", "run:read"}))


@pytest.fixture
def tokens() -> InternalTokens:
    return InternalTokens(SecretStr(SECRET), 60)


def test_principal_comes_back_with_its_caller_when_a_token_is_verified(tokens):
    principal = tokens.verify(tokens.mint(ALICE, service="main", caller="gateway"), service="main")
    assert principal == Principal("7", "alice", "EDITOR", frozenset({"dataset:read", "run:read"}), "gateway")
    assert not principal.is_service


def test_service_stays_a_service_when_it_speaks_for_itself(tokens):
    token = tokens.mint(service_principal("runtime"), service="main", caller="runtime")
    principal = tokens.verify(token, service="main")
    assert (principal.is_service, principal.actor, principal.permissions) == (True, "runtime", frozenset())


def test_token_is_refused_when_it_was_made_for_another_service(tokens):
    with pytest.raises(UnauthenticatedError):
        tokens.verify(tokens.mint(ALICE, service="main", caller="gateway"), service="runtime")


def test_life_is_at_most_a_minute_when_more_is_asked_for():
    token = InternalTokens(SecretStr(SECRET), 3600).mint(ALICE, service="main", caller="gateway")
    read = jwt.decode(token, SECRET, algorithms=["HS256"], audience="main")
    assert read["exp"] - read["iat"] == 60


def test_token_is_refused_when_its_minute_is_over(tokens):
    old = InternalTokens(SecretStr(SECRET), 60, clock=lambda: time.time() - 70)
    with pytest.raises(UnauthenticatedError):
        tokens.verify(old.mint(ALICE, service="main", caller="gateway"), service="main")


def test_access_token_is_refused_when_it_is_signed_with_the_same_key(tokens):
    with pytest.raises(UnauthenticatedError):
        tokens.verify(AccessTokens(SecretStr(SECRET), 900).mint("7", epoch=1), service="datamate-api")


@pytest.mark.parametrize(
    "change", [{"act": 1}, {"username": None}, {"role": []}, {"permissions": "dataset:read"}, {"sub": 7}]
)
def test_token_is_refused_when_a_claim_has_the_wrong_type(tokens, change):
    claims = jwt.decode(
        tokens.mint(ALICE, service="main", caller="gateway"), SECRET, algorithms=["HS256"], audience="main"
    )
    forged = jwt.encode({**claims, **change}, SECRET, algorithm="HS256", headers={"typ": "internal+jwt"})
    with pytest.raises(UnauthenticatedError):
        tokens.verify(forged, service="main")


def test_permissions_do_not_show_when_a_principal_is_printed():
    assert "dataset:read" not in repr(ALICE)
