import time

import pytest
from pydantic import SecretStr

from datamate.core.errors import ConfigurationError, UnauthenticatedError
from datamate.platform.security import AccessTokens, InternalTokens, access_tokens, service_principal

SECRET = SecretStr("s" * 32)


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> AccessTokens:
    return AccessTokens(SECRET, 900, clock=clock)


def test_claims_come_back_when_a_token_is_verified(tokens, clock):
    claims = tokens.verify(tokens.mint("7", epoch=3))
    assert (claims.user_id, claims.epoch) == ("7", 3)
    assert claims.expires_at == int(clock.now) + 900


def test_tokens_differ_when_minted_for_the_same_user(tokens):
    assert tokens.verify(tokens.mint("7", epoch=1)).token_id != tokens.verify(tokens.mint("7", epoch=1)).token_id


def test_token_is_refused_when_it_expires_after_it_was_verified(tokens, clock):
    token = tokens.mint("7", epoch=1)
    tokens.verify(token)
    clock.now += 906
    with pytest.raises(UnauthenticatedError) as caught:
        tokens.verify(token)
    assert caught.value.code == "token_expired"


def test_expired_token_is_refused_when_its_verification_is_still_cached(tokens, clock):
    token = tokens.mint("7", epoch=1)
    clock.now += 890
    tokens.verify(token)
    clock.now += 20
    with pytest.raises(UnauthenticatedError):
        tokens.verify(token)


def test_token_is_refused_when_it_comes_from_the_future(tokens, clock):
    token = tokens.mint("7", epoch=1)
    clock.now -= 10
    with pytest.raises(UnauthenticatedError):
        tokens.verify(token)


def test_signature_is_checked_again_when_the_cached_verification_is_old(tokens, clock, monkeypatch):
    reads = []
    original = access_tokens.read

    def counted(*arguments, **options):
        reads.append(1)
        return original(*arguments, **options)

    monkeypatch.setattr(access_tokens, "read", counted)
    token = tokens.mint("7", epoch=1)
    for _ in range(3):
        tokens.verify(token)
    assert len(reads) == 1
    clock.now += 31
    tokens.verify(token)
    assert len(reads) == 2


def test_cache_stays_small_when_many_tokens_come(tokens, monkeypatch):
    monkeypatch.setattr(access_tokens, "_CACHE_ENTRIES", 5)
    for _ in range(20):
        tokens.verify(tokens.mint("7", epoch=1))
    assert len(tokens._verified) == 5


@pytest.mark.parametrize("make", [AccessTokens, InternalTokens])
def test_start_is_refused_when_the_secret_is_short(make):
    with pytest.raises(ConfigurationError, match="32 bytes"):
        make(SecretStr("s" * 31), 60)


def test_access_token_is_refused_when_it_is_an_internal_one_under_the_same_key():
    token = InternalTokens(SECRET, 60).mint(service_principal("main"), service="datamate-api", caller="main")
    with pytest.raises(UnauthenticatedError):
        AccessTokens(SECRET, 900).verify(token)


def test_token_of_strange_characters_is_refused_when_it_cannot_be_encoded(tokens):
    with pytest.raises(UnauthenticatedError):
        tokens.verify("\ud800.a.b")
