"""The route of a command, which a well-formed request takes without FastAPI's resolver of dependencies.

    router = APIRouter(tags=["units"], route_class=CommandRoute)

Promises: what is declared to FastAPI stays the one description, for the documentation and for every request that is not
well-formed in all its parts: such a one is handed on untouched, and answered by FastAPI
(tests/unit/web/test_command_route.py). Limit: it knows the dependencies of a command (`Call`, `Unnamed`), no others.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter, ValidationError

from avow.kernel.message import Value
from avow.observe.metrics import route_of
from avow.service.service import Service
from avow.web.call import ActingAs, CommandCall, OrgName, RetryKey, Trace, UnnamedCall

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_ORG = TypeAdapter[str](OrgName)
_HEADERS: Mapping[bytes, TypeAdapter[Any]] = {
    b"idempotency-key": TypeAdapter(RetryKey),
    b"acting-as": TypeAdapter(ActingAs),
    b"traceparent": TypeAdapter(Trace),
}


class CommandRoute(APIRoute):
    """Answers a well-formed command itself, and leaves everything else to FastAPI."""

    def get_route_handler(self) -> Handler:
        ordinary = super().get_route_handler()
        form = _Form.of(self.endpoint) if self.methods == {"POST"} else None
        if form is None:
            return ordinary
        endpoint, status = self.endpoint, self.status_code or 200

        async def handler(request: Request) -> Response:
            arguments = await form.arguments(request)
            if arguments is None:
                return await ordinary(request)
            answer = form.answer.dump_json(await endpoint(**arguments))
            return Response(answer, status, media_type="application/json")

        return handler


@dataclass(frozen=True)
class _Form:
    """What an endpoint takes: one command as its body, one call, and parts of the path."""

    body: tuple[str, type[Value]]
    call: tuple[str, type[CommandCall] | type[UnnamedCall]]
    path: Mapping[str, TypeAdapter[Any]]
    answer: TypeAdapter[Any]

    @classmethod
    def of(cls, endpoint: Callable[..., Any]) -> "_Form | None":
        """The form of an endpoint, or None where it takes anything else."""
        bare, full = get_type_hints(endpoint), get_type_hints(endpoint, include_extras=True)
        answer = bare.pop("return", None)
        bodies, calls, path = [], [], {}
        for name in inspect.signature(endpoint).parameters:
            kind = bare[name]
            if isinstance(kind, type) and issubclass(kind, Value):
                bodies.append((name, kind))
            elif kind in (CommandCall, UnnamedCall):
                calls.append((name, kind))
            elif kind is str:
                path[name] = TypeAdapter[Any](full[name])
            else:
                return None
        if len(bodies) != 1 or len(calls) != 1 or answer is None:
            return None
        return cls(bodies[0], calls[0], path, TypeAdapter(answer))

    async def arguments(self, request: Request) -> dict[str, Any] | None:
        """What the endpoint is called with, or None if anything about the request is out of the ordinary."""
        headers: dict[bytes, str] = {}
        for name, value in request.scope["headers"]:
            if name in _HEADERS:
                if name in headers:
                    return None
                headers[name] = value.decode("latin-1")
        path = request.path_params
        try:
            for name, text in headers.items():
                _HEADERS[name].validate_python(text)
            org = _ORG.validate_python(path["org"])
            arguments = {name: kind.validate_python(path[name]) for name, kind in self.path.items()}
            arguments[self.body[0]] = self.body[1].model_validate_json(await request.body())
        except (ValidationError, KeyError):
            return None
        service: Service = request.app.state.service
        if request.scope["query_string"] or not await service.has_book(org):
            return None
        name, kind = self.call
        if kind is UnnamedCall:
            arguments[name] = UnnamedCall(service, org)
        elif (retry_key := headers.get(b"idempotency-key")) is None:
            return None
        else:
            arguments[name] = CommandCall(
                service,
                org,
                headers.get(b"acting-as"),
                f"{request.method} {request.scope['path']}",
                retry_key,
                request.state.correlation_id,
                headers.get(b"traceparent"),
                f"{request.method} {route_of(request.scope)}",
            )
        return arguments
