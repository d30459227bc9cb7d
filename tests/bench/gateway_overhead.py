"""What the gateway adds to a request, in CPU time of the server process: naked route, service, gateway in front of it.

    .venv/bin/python tests/bench/gateway_overhead.py [--seconds 5] [--rounds 3]

Each case is a server process of its own on uvloop; eight connections keep it busy; the figure is the process's CPU time
divided by the answers, the least of the rounds. No Redis, no PostgreSQL: users come from memory.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from pathlib import Path

import psutil
import uvloop
from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, SecretStr
from redis.asyncio import Redis

from datamate.config.database import DatabaseSettings
from datamate.config.log import LogSettings
from datamate.config.root import Settings
from datamate.contracts.main.permissions import BUILT_IN_ROLES, Permission
from datamate.contracts.main.users import PrincipalRecord
from datamate.platform.cache import Cache
from datamate.platform.db import Database
from datamate.platform.http.server import serve
from datamate.platform.http.service import ServiceResources, create_service_app
from datamate.platform.security import AccessTokens, InternalTokens, public, require_permission
from datamate.platform.telemetry import configure_logging
from datamate.services.gateway.app import create_app
from datamate.services.gateway.deps import GatewayResources
from datamate.services.gateway.upstream.in_process import InProcessUpstream

CONNECTIONS = 8
CASES = {
    "naked": "a FastAPI route without anything of ours",
    "service": "the same route in a service: trace, deadline, guards, metrics, access log",
    "public": "gateway, service in process, public route",
    "gateway": "gateway, service in process, token, permission",
}
PATHS = {"naked": "/tasks", "service": "/auth/login", "public": "/api/v1/auth/login", "gateway": "/api/v1/tasks"}
ACCESS = AccessTokens(SecretStr("public-secret-of-the-bench-00001"), 900)
INTERNAL = InternalTokens(SecretStr("internal-secret-of-the-bench-001"), 60)


class Answer(BaseModel):
    name: str
    size: int


class Users:
    record = PrincipalRecord(
        user_id=1, username="a", role="ADMIN", permissions=sorted(BUILT_IN_ROLES["ADMIN"]), enabled=True, epoch=1
    )

    async def read(self, _user_id: int) -> PrincipalRecord | None:
        return self.record


async def answer() -> Answer:
    return Answer(name="x" * 100, size=7)


def naked() -> FastAPI:
    app = FastAPI()
    app.add_api_route("/tasks", answer)
    return app


def service() -> FastAPI:
    router = APIRouter()
    router.add_api_route("/auth/login", answer, methods=["POST"], dependencies=[public])
    router.add_api_route("/tasks", answer, dependencies=[require_permission(Permission.TASK_READ)])
    redis = Redis.from_url("redis://127.0.0.1:9")
    resources = ServiceResources(
        settings=Settings(),
        database=Database(DatabaseSettings(), "postgresql://nobody@127.0.0.1:9/nothing"),
        redis=redis,
        cache=Cache(redis),
        internal_tokens=INTERNAL,
    )
    return create_service_app("main", resources, [router], title="main")


def gateway():
    upstreams = {name: InProcessUpstream(service()) for name in ("main", "data_management", "runtime")}
    return create_app(GatewayResources(access_tokens=ACCESS, principals=Users()), upstreams)


def run_server(case: str, log_path: str) -> None:
    with Path(log_path).open("w", encoding="utf-8") as log:
        configure_logging(LogSettings(), service=case, stream=log)
        app = {"naked": naked, "service": service, "public": gateway, "gateway": gateway}[case]()
        serving = serve(app, "127.0.0.1", 0, stop=asyncio.Event(), on_started=lambda port: print(port, flush=True))
        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(serving)


def request_of(case: str) -> bytes:
    method = "GET" if case in ("naked", "gateway") else "POST"
    token = f"Authorization: Bearer {ACCESS.mint('1', epoch=1)}\r\n" if case == "gateway" else ""
    accept = "Accept: application/json\r\nUser-Agent: bench\r\nAccept-Encoding: gzip\r\n"
    return f"{method} {PATHS[case]} HTTP/1.1\r\nHost: 127.0.0.1\r\n{accept}{token}\r\n".encode()


async def load(port: int, request: bytes, until: float) -> int:
    async def connection() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(head.decode())
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            count += 1
        writer.close()
        return count

    return sum(await asyncio.gather(*(connection() for _ in range(CONNECTIONS))))


def measure(case: str, seconds: float) -> tuple[float, float]:
    """Return CPU microseconds a request, and requests a second."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", case], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        process = psutil.Process(server.pid)
        request = request_of(case)
        run = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        run.run(load(port, request, time.perf_counter() + 1))
        before, started = sum(process.cpu_times()[:2]), time.perf_counter()
        count = run.run(load(port, request, started + seconds))
        cpu = sum(process.cpu_times()[:2]) - before
        return cpu / count * 1e6, count / (time.perf_counter() - started)
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--serve")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.serve:
        run_server(options.serve, "/dev/null")
        return
    least: dict[str, tuple[float, float]] = {}
    for _ in range(options.rounds):
        for case in CASES:
            found = measure(case, options.seconds)
            least[case] = min(least.get(case, found), found)
    for case, text in CASES.items():
        cpu, rate = least[case]
        print(f"{cpu:7.1f} µs  {rate:8.0f}/s  {text}")
    print(f"{least['gateway'][0] - least['service'][0]:7.1f} µs           gateway over service")


if __name__ == "__main__":
    main()
