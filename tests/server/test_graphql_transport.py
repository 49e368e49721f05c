"""GraphQL over HTTP and over both websocket dialects, on a real platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from jupyter_arkitekt.server.objects import Grant
from jupyter_arkitekt.testing import Served, SignedIn, manifest, sign_in
from jupyter_arkitekt.testing._s3 import SignedClient

DEADLINE = 30
TYPENAME = "{ __typename }"
NEW_FILES = "subscription { files { create { id name } } }"


@pytest.fixture(scope="module")
def app(platform: Served) -> SignedIn:
    return sign_in(platform.url, platform.redeem_token(), manifest("transport.test"))


class Socket:
    """A websocket that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, kind: str, key: str | None = None, payload: Any = None) -> None:
        frame = {"type": kind, "id": key, "payload": payload}
        self.connection.send(json.dumps({name: value for name, value in frame.items() if value is not None}))

    def hear(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=DEADLINE))
        return frame

    def close_code(self) -> int | None:
        try:
            while True:
                self.connection.recv(timeout=DEADLINE)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@contextmanager
def socket(url: str, protocol: str | None, service: str = "mikro", **options: Any) -> Iterator[Socket]:
    address = url.replace("http", "ws", 1) + f"/{service}/graphql"
    protocols = [Subprotocol(protocol)] if protocol else None
    with connect(address, subprotocols=protocols, open_timeout=DEADLINE, **options) as connection:
        yield Socket(connection)


def upload_a_file(app: SignedIn, name: str) -> str:
    """Make a file of mikro, which a subscription tells about, and return its id."""
    fields = "accessKey secretKey sessionToken bucket key path expiresIn store"
    request = f'mutation {{ requestBigfileUpload(input: {{originalFileName: "{name}"}}) {{ {fields} }} }}'
    given = app.graphql("mikro", request)["data"]["requestBigfileUpload"]
    grant = Grant(
        given["accessKey"],
        given["secretKey"],
        given["sessionToken"],
        given["bucket"],
        given["key"],
        given["path"],
        3600,
    )
    with SignedClient(app.url, grant) as objects:
        objects("PUT", grant.key, body=b"words").raise_for_status()
    create = (
        "mutation M($name: String!, $file: FileLike!) { fromFileLike(input: {fileName: $name, file: $file}) { id } }"
    )
    made = app.graphql("mikro", create, name=name, file=given["store"])
    assert "errors" not in made, made
    return str(made["data"]["fromFileLike"]["id"])


@pytest.mark.parametrize("service", ["mikro", "rekuest"])
def test_each_service_answers_its_page_its_schema_and_its_health(platform: Served, service: str) -> None:
    base = f"{platform.url}/{service}"
    page = httpx.get(f"{base}/graphql")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "://" not in page.text.replace("http://www.w3.org", "")  # nothing is loaded from anywhere
    assert "type Query" in httpx.get(f"{base}/schema").text
    assert httpx.get(f"{base}/ht").status_code == 200


def test_a_request_without_a_good_token_is_told_to_refresh_it(platform: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "nonsense"}):
        answer = httpx.post(f"{platform.url}/mikro/graphql", json={"query": TYPENAME}, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert body["data"] is None
        assert body["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


def test_answers_have_the_shapes_that_released_clients_know(app: SignedIn) -> None:
    assert app.graphql("mikro", TYPENAME) == {"data": {"__typename": "Query"}}
    unknown = app.graphql("mikro", "{ nonsense }")
    assert unknown["errors"][0]["locations"]
    assert "path" not in unknown["errors"][0]
    missing = app.graphql("mikro", "query Q($id: ID!) { image(id: $id) { id } }", id="999999")
    assert missing["data"] is None
    assert missing["errors"][0]["path"] == ["image"]
    assert missing["errors"][0]["message"] != "internal error"
    slash = httpx.post(f"{app.url}/mikro/graphql/", json={"query": TYPENAME}, headers=app.headers)
    assert slash.json() == {"data": {"__typename": "Query"}}


def test_what_is_no_graphql_request_is_refused(app: SignedIn) -> None:
    def post(**options: Any) -> httpx.Response:
        return httpx.post(f"{app.url}/mikro/graphql", headers=app.headers, timeout=DEADLINE, **options)

    batch = post(json=[{"query": TYPENAME}])
    assert (batch.status_code, batch.headers["content-type"].split(";")[0]) == (400, "text/plain")
    assert post(content=b'{"query": ').status_code == 400
    assert post(content=b'{"query": "{ __typename }", "variables": {"x": NaN}}').status_code == 400
    assert post(content=b"[" * 100_000).status_code == 400
    assert post(json={"query": TYPENAME, "variables": []}).status_code == 400
    assert post(content=b" " * (9 * 1024 * 1024)).status_code == 413
    assert "errors" in post(json={"query": NEW_FILES}).json()  # subscriptions need a socket
    assert httpx.put(f"{app.url}/mikro/graphql").status_code == 405


def test_pages_of_other_origins_may_ask_with_a_token(platform: Served) -> None:
    answer = httpx.options(f"{platform.url}/mikro/graphql", headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    assert answer.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert answer.headers["access-control-max-age"] == "86400"


def _bomb(fragments: int) -> str:
    """Ask for 2 ** `fragments` fields in a few kilobytes."""
    spreads = " ".join(
        f"fragment f{n} on Image {{ dataset {{ images {{ ...f{n + 1} }} second: images {{ ...f{n + 1} }} }} }}"
        for n in range(fragments)
    )
    return f"{{ images {{ ...f0 }} }} {spreads} fragment f{fragments} on Image {{ id }}"


HOSTILE = {
    "deep": "{ images " + "{ dataset { images " * 200 + "{ id }" + " } }" * 200 + " }",
    "deeper than Python's stack": "{ images " * 20_000,
    "multiplying fragments": _bomb(13),
    "the same field over and over": "{ images {" + " id" * 3000 + " } }",
    "pairs of pairs": "{" + (" images {" + " name" * 50 + " }") * 50 + " }",
    "too many words": "{ images { " + " ".join(f"a{n}: id" for n in range(8000)) + " } }",
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_document_that_would_keep_the_server_busy_is_refused(app: SignedIn, document: str) -> None:
    response = app.graphql("mikro", document)
    assert response["data"] is None
    assert len(response["errors"]) == 1


def test_a_circle_of_fragments_is_refused(app: SignedIn) -> None:
    response = app.graphql("mikro", "{ images { ...a } } fragment a on Image { ...b } fragment b on Image { ...a }")
    assert "a" in response["errors"][0]["message"]


def test_the_introspection_of_tools_is_within_the_limits(app: SignedIn) -> None:
    of_type = "ofType { kind name " * 9 + "}" * 9
    query = f"{{ __schema {{ types {{ name fields {{ name type {{ kind name {of_type} }} }} }} }} }}"
    assert app.graphql("rekuest", query)["data"]["__schema"]["types"]


@pytest.mark.parametrize(
    ("protocol", "start", "data"),
    [("graphql-ws", "start", "data"), ("graphql-transport-ws", "subscribe", "next")],
)
def test_a_subscription_tells_what_happens_until_it_is_stopped(
    app: SignedIn, protocol: str, start: str, data: str
) -> None:
    with socket(app.url, protocol) as talk:
        assert talk.connection.subprotocol == protocol
        talk.say("connection_init", payload={"token": app.token})
        assert talk.hear() == {"type": "connection_ack"}
        talk.say(start, "one", {"query": NEW_FILES, "variables": {}})
        talk.say(start, "two", {"query": TYPENAME})  # queries work here as well, and show that "one" was started
        assert talk.hear() == {"type": data, "id": "two", "payload": {"data": {"__typename": "Query"}}}
        assert talk.hear() == {"type": "complete", "id": "two"}
        key = upload_a_file(app, f"{protocol}.txt")
        event = talk.hear()
        assert (event["type"], event["id"]) == (data, "one")
        assert event["payload"]["data"]["files"]["create"] == {"id": key, "name": f"{protocol}.txt"}
        talk.say("ping")
        assert talk.hear() == {"type": "pong"}
        if protocol == "graphql-ws":
            talk.say("stop", "one")
            assert talk.hear() == {"type": "complete", "id": "one"}
        else:
            talk.say("complete", "one")
        upload_a_file(app, "nobody listens.txt")
        talk.say("ping")
        assert talk.hear() == {"type": "pong"}  # and no event before it


def test_mistakes_in_an_operation_leave_the_socket_open(app: SignedIn) -> None:
    with socket(app.url, "graphql-ws") as old, socket(app.url, "graphql-transport-ws") as new:
        for talk, start in ((old, "start"), (new, "subscribe")):
            talk.say("connection_init", payload={"headers": {"Authorization": f"Bearer {app.token}"}})
            assert talk.hear()["type"] == "connection_ack"
            talk.say(start, "bad", {"query": "subscription { nonsense }"})
            answer = talk.hear()
            assert (answer["type"], answer["id"]) == ("error", "bad")
            assert isinstance(answer["payload"], dict if talk is old else list)
            talk.say(start, "worse", {"nothing": 1})
            assert talk.hear()["id"] == "worse"
            talk.say("ping")
            assert talk.hear() == {"type": "pong"}


def test_a_socket_without_a_good_token_is_closed(platform: Served) -> None:
    with socket(platform.url, "graphql-ws") as talk:
        talk.say("connection_init", payload={"token": "nonsense"})
        refusal = talk.hear()
        assert refusal["type"] == "connection_error"
        assert refusal["payload"]["extensions"]["code"] == "UNAUTHENTICATED"
        assert talk.close_code() == 4403
    with socket(platform.url, "graphql-transport-ws") as talk:
        talk.say("connection_init", payload={"token": "nonsense"})
        assert talk.close_code() == 4403


def test_a_socket_that_does_not_follow_the_protocol_is_closed(app: SignedIn) -> None:
    def code_after(*frames: str) -> int | None:
        with socket(app.url, "graphql-transport-ws") as talk:
            for frame in frames:
                talk.connection.send(frame)
            return talk.close_code()

    init = json.dumps({"type": "connection_init", "payload": {"token": app.token}})
    start = json.dumps({"type": "subscribe", "id": "1", "payload": {"query": NEW_FILES}})
    assert code_after(start) == 4401
    assert code_after("{") == 4400
    assert code_after(init, init) == 4429
    assert code_after(init, start, start) == 4409
    assert code_after(init, '{"type": "nonsense"}') == 4400


def test_pages_of_other_origins_may_not_open_a_socket(platform: Served) -> None:
    with (
        pytest.raises(InvalidStatus) as refused,
        socket(platform.url, "graphql-ws", origin="https://elsewhere.example"),
    ):
        pass
    assert refused.value.response.status_code == 403
    with socket(platform.url, "graphql-ws", origin=platform.url) as talk:
        assert talk.connection.subprotocol == "graphql-ws"
