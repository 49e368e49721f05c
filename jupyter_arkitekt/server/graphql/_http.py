"""GraphQL over HTTP, with the answers that released clients know.

Domain errors, validation errors and missing sign-in are answers of status 200 with ``errors``; only what is no GraphQL
request at all has another status.
"""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from jupyter_arkitekt.server.graphql._context import Context
from jupyter_arkitekt.server.graphql._errors import unauthenticated
from jupyter_arkitekt.server.graphql._executor import Executor, Rejected
from jupyter_arkitekt.server.http import TooLarge, base_url, bearer, read_body
from jupyter_arkitekt.server.identity import Unauthenticated
from jupyter_arkitekt.server.platform import Platform


class BadRequest(Exception):  # noqa: N818 - an answer
    """The request is no GraphQL request."""


def dumps(response: Any) -> bytes:
    """Write a response as JSON."""
    return json.dumps(response, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def loads(text: str | bytes) -> Any:
    """Read JSON from outside; ``NaN`` and its like are no JSON.

    Raises
    ------
    BadRequest
        If it is none.
    """
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadRequest("the body is no JSON") from error


def read_request(payload: Any) -> tuple[str, dict[str, Any] | None, str | None]:
    """Take query, variables and operation name from a payload.

    Raises
    ------
    BadRequest
        If it has another shape.
    """
    if isinstance(payload, list):
        raise BadRequest("batches of operations are not supported")
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        raise BadRequest('expected a JSON object with a "query"')
    variables, name = payload.get("variables"), payload.get("operationName")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest('"variables" has to be an object')
    if name is not None and not isinstance(name, str):
        raise BadRequest('"operationName" has to be a string')
    return payload["query"], variables, name


async def answer(request: Request, executor: Executor, platform: Platform) -> Response:
    """Answer one POST."""
    try:
        payload = loads(await read_body(request, platform.settings.max_body))
        text, variables, name = read_request(payload)
    except TooLarge as error:
        return PlainTextResponse(str(error), 413)
    except BadRequest as error:
        return PlainTextResponse(str(error), 400)
    try:
        caller = platform.identity.authenticate(bearer(request.headers))
    except Unauthenticated as error:
        return _json(unauthenticated(str(error)))
    context = Context(caller, platform, request.headers, base_url(request))
    try:
        operation = await executor.prepare(text, name)
    except Rejected as rejected:
        return _json(rejected.response)
    if operation.kind == "subscription":
        return _json({"data": None, "errors": [{"message": "Subscriptions go over the websocket of this address."}]})
    return _json(await executor.run(operation, variables, context))


def _json(response: dict[str, Any]) -> Response:
    return Response(dumps(response), media_type="application/json")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
