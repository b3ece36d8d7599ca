"""Hosting: services in one process, each on a port of its own, each hearing of the other's events.

Promises: `deployment` has every service answering and hearing before it yields, and everything stopped and closed
after, whatever happened in between.
"""

import asyncio
import gc
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points

import uvicorn
from fastapi import FastAPI
from structlog.contextvars import bound_contextvars

from avow.bus.feed_client import FeedClient
from avow.kernel.ports import Ports
from avow.service.service import Blueprint, Service
from avow.service.settings import Settings

READY_WITHIN = 30.0
KEEP_ALIVE = 75
"""Seconds a silent connection is kept: longer than any usual client does, or one is closed as a request comes."""


@dataclass(frozen=True)
class Hosted:
    """A service and the application it answers with."""

    service: Service
    app: FastAPI


Build = Callable[[Settings, Ports, str], Hosted]
"""A service's composition root: (settings, ports, operator token) → the service, not yet started."""


class PortTaken(Exception):
    """The port a service should answer on is in use."""

    def __init__(self, service: str, port: int) -> None:
        super().__init__(f"{service}: port {port} is in use")
        self.service = service
        self.port = port


class NoAddress(Exception):
    """A service has to hear of another that does not run here, and nobody said where it answers."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service}: no address")
        self.service = service


@dataclass(frozen=True)
class Deployment:
    """The services as they run: where each answers, and the token they answer to."""

    settings: Settings
    token: str
    services: dict[str, Service]
    urls: dict[str, str]
    stopped: asyncio.Event


@dataclass(frozen=True)
class Installed:
    """What a service offers under the entry points `avow.services`: what it is, and how it is built."""

    blueprint: Blueprint
    build: Build


def installed() -> dict[str, Installed]:
    """The services installed here, by name."""
    found = {point.name: point for point in entry_points(group="avow.services")}
    return {name: found[name].load() for name in sorted(found, reverse=True)}


def collect_seldom() -> None:
    """Have the process look for garbage seldom: what a service lives on stays, and most else goes by itself.

    At Python's own pace a busy log spends a fifth of its time on it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@asynccontextmanager
async def deployment(settings: Settings, ports: Ports) -> AsyncIterator[Deployment]:
    """Run the services asked for; raises PortTaken, NoAddress, or whatever keeps a service from starting."""
    secret = settings.operator_token
    token = secret.get_secret_value() if secret else secrets.token_urlsafe(24)
    async with AsyncExitStack() as stack:
        services: dict[str, Service] = {}
        urls: dict[str, str] = {}
        stopped = asyncio.Event()
        for name in settings.services or installed():
            entry = installed()[name]
            listening = stack.enter_context(_listen(name, settings.host, settings.port(name)))
            hosted = entry.build(settings, ports, token)
            # Tasks keep the context they are begun in, and name their service in every line.
            with bound_contextvars(service=name):
                await stack.enter_async_context(_running(hosted.service))
            await stack.enter_async_context(_serving(hosted.app, listening, hosted.service, stopped))
            services[name] = hosted.service
            urls[name] = _url(listening)
        if settings.role == "worker":
            for service in services.values():
                with bound_contextvars(service=service.name):
                    service.work()
                    _connect(service, settings, urls, token, stack)
        collect_seldom()
        yield Deployment(settings, token, services, urls, stopped)


def _connect(service: Service, settings: Settings, urls: Mapping[str, str], token: str, stack: AsyncExitStack) -> None:
    """Have a service publish, and hear of the other's events until the stack unwinds; raises NoAddress."""
    (other,) = installed().keys() - {service.name}
    url = urls.get(other) or settings.url(other)
    if url is None:
        raise NoAddress(other)
    client = FeedClient(url, token)
    stack.push_async_callback(client.close)
    broker = settings.broker(service.name)
    if broker is None:
        service.follow(client)
    else:
        # Imported where it is wanted: without a broker nobody needs its client.
        from avow.bus.publisher import RabbitPublisher
        from avow.bus.queue import Queues

        queues = Queues(broker, service.name, other, service.ports, service.dead.bury)
        queues.start()
        stack.push_async_callback(queues.stop)
        service.follow(client, lambda org: queues.of(org).listen)
        service.publish(RabbitPublisher(broker, service.name, other))
    # Pushed last, so that the followers end before what they hear through is closed.
    stack.push_async_callback(service.stop_bus)


@asynccontextmanager
async def _running(service: Service) -> AsyncIterator[None]:
    try:
        await service.start()
        yield
    finally:
        await service.stop()


def _listen(name: str, host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # Two sockets may be bound to one port as long as neither listens.
        listening.listen()
    except OSError as error:
        listening.close()
        raise PortTaken(name, port) from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that leaves the process's signals to whoever runs the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _serving(
    app: FastAPI, listening: socket.socket, service: Service, stopped: asyncio.Event
) -> AsyncIterator[None]:
    # No access log: an address may carry the token.
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=KEEP_ALIVE,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    task.add_done_callback(lambda _: stopped.set())
    try:
        async with asyncio.timeout(READY_WITHIN):
            while not server.started:
                if task.done():
                    task.result()
                    raise RuntimeError(f"{service.name} ended before it answered")
                await asyncio.sleep(0.01)
        yield
    finally:
        # What streams must end by itself before the server can.
        service.closing.set()
        service.grown.raise_()
        server.should_exit = True
        await task
