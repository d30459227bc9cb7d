import pytest

from datamate.platform.http.lifespan import running


async def test_application_is_left_alone_when_it_has_no_lifespan():
    async def app(_scope, _receive, _send) -> None:
        return

    async with running(app):
        pass


async def test_error_is_raised_here_when_the_application_fails_to_stop():
    async def app(_scope, receive, send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        async with running(app):
            pass


async def test_reason_is_told_when_the_application_says_it_cannot_start():
    async def app(_scope, receive, send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no bucket"})

    with pytest.raises(RuntimeError, match="no bucket"):
        async with running(app):
            pass


async def test_application_is_stopped_when_the_block_raises():
    seen = []

    async def app(_scope, receive, send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            seen.append("stopped")

    with pytest.raises(ZeroDivisionError):
        async with running(app):
            raise ZeroDivisionError
    assert seen == ["stopped"]
