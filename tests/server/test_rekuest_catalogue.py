"""What an organisation has: offers, states, shortcuts and the rest, written and read back through GraphQL."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import obstore
import pytest
from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, build_schema
from graphql.type import is_abstract_type, is_leaf_type, is_object_type
from obstore.store import S3Store

from jupyter_arkitekt.testing import Served
from jupyter_arkitekt.testing._wire import (
    Caller,
    Json,
    Refused,
    definition,
    offer,
    port,
    raw_agent,
    token_for,
    until,
)


@pytest.fixture(scope="module")
def server(platform: Served) -> Served:
    return platform


@pytest.fixture(scope="module")
def redeem(server: Served) -> str:
    return server.redeem_token(uses=200)


@pytest.fixture
async def app(server: Served, redeem: str) -> AsyncIterator[Caller]:
    async with Caller(server.url, token_for(server.url, redeem, f"test.{uuid.uuid4().hex[:12]}")) as caller:
        yield caller


IMAGE = {"kind": "STRUCTURE", "identifier": "@mikro/image"}
WIDGETS = [
    {"kind": "SEARCH", "query": "query ($search: String) { options: images { value: id } }", "ward": "mikro"},
    {"kind": "CHOICE", "choices": [{"value": 3, "label": "three"}]},
    {"kind": "SLIDER", "min": 0, "max": 1},
    {"kind": "STRING"},
    {"kind": "CUSTOM", "hook": "h", "ward": "w", "fallback": {"kind": "STRING"}},
    {"kind": "STATE_CHOICE", "statePath": "a.b", "stateAccessors": [{"optionKey": "LABEL", "subPath": "n"}]},
    {"kind": "PROXY", "targetAction": "a", "targetPort": "p"},
]
FULL = definition(
    "full",
    args=[
        port("image", **IMAGE, requires=[{"key": "mikro.channels", "operator": "LTE", "value": 3}]),
        *(port(f"w{index}", "STRING", widget=widget, nullable=True) for index, widget in enumerate(WIDGETS)),
        port(
            "list",
            "LIST",
            children=[port("...", "DICT", children=[port("...", "FLOAT", default=20.0)])],
            effects=[
                {"kind": "MESSAGE", "function": "(x) => x", "message": "hi"},
                {"kind": "HIDE", "function": "(x) => x"},
                {"kind": "CUSTOM", "function": "(x) => x", "hook": "h"},
            ],
            validators=[{"function": "(x) => x > 1", "errorMessage": "small"}],
        ),
    ],
    returns=[
        port("return0", **IMAGE, provides=[{"key": "mikro.z", "operator": "EXISTS", "value": True}]),
        port("return1", "STRING", widget={"kind": "CHOICE", "choices": [{"value": "a", "label": "A"}]}),
        port("return2", "STRING", widget={"kind": "CUSTOM", "hook": "h"}),
    ],
    portGroups=[{"key": "advanced", "ports": ["list"]}],
    collections=["filters"],
    pure=True,
)
COUNTER = {"interface": "Counter", "definition": {"name": "Counter", "ports": [port("count")]}}


async def populate(server: Served, app: Caller) -> Json:
    """Make one of everything, and return the agent."""
    helper_of = {
        "key": "helper",
        "autoResolvable": True,
        "actionDependencies": [{"key": "do", "demand": {"key": "full"}}],
    }
    offered = await offer(
        app,
        FULL,
        definition("check", isTestFor=[{"key": "full"}]),
        definition("outer"),
        states=[COUNTER],
        locks=[{"key": "stage", "definition": {"key": "stage"}}],
        bloks=[{"key": "Panel", "components": [{"id": "1", "component": "Text"}]}],
        outer={"dependencies": [helper_of], "manipulates": ["Counter"], "tracks": [{"stateKey": "s", "valueKey": "v"}]},
    )
    full, check, outer = offered["implementations"]
    agent = {"agent": offered["id"], "key": "helper"}

    async def make(mutation: str, type_name: str, /, **given: Any) -> str:
        document = f"mutation($i: {type_name}!) {{ {mutation}(input: $i) {{ id }} }}"
        return str((await app.ask(document, i=given))["id"])

    toolbox = await make("createToolbox", "CreateToolboxInput", name="Daily")
    action = full["action"]["id"]
    shortcut = {"name": "Quick", "action": action, "args": {"w0": "x"}, "toolbox": toolbox}
    await make("createShortcut", "CreateShortcutInput", **shortcut)
    case = await make("createTestCase", "CreateTestCaseInput", action=action, tester=check["action"]["id"])
    result = {"case": case, "implementation": full["id"], "tester": check["id"], "passed": True}
    await make("createTestResult", "CreateTestResultInput", **result)
    component = {"id": "1", "component": "Button", "props": [{"key": "label", "staticValue": "Go"}]}
    blok = await make("createBlok", "CreateBlokInput", name="Start", components=[component])
    dashboard = await make("createDashboard", "CreateDashboardInput", name="Lab", bloks=[blok])
    panel = await make("materializeBlok", "MaterializeBlokInput", blok=blok, dashboard=dashboard, agentMappings=[agent])
    upload = await app.ask(
        "mutation($i: RequestMediaUploadInput!) { requestMediaUpload(input: $i) "
        "{ store bucket key accessKey secretKey sessionToken maxBytes } }",
        i={"originalFileName": "stage.glb"},
    )
    await put(server, upload, b"glTF")
    finish = "mutation($i: FinishMediaUploadInput!) { finishMediaUpload(input: $i) { id path } }"
    stored = await app.ask(finish, i={"storeId": upload["store"]})
    model = await make("createThreedModel", "CreateThreeDModelInput", name="Stage", media=stored["id"])
    place = {"agent": offered["id"], "model": model, "blok": panel, "role": "stage", "affineMatrix": [[1.0, 0.0]]}
    await make("createSpace", "CreateSpaceInput", name="Room", placements=[place])
    async with raw_agent(server.url, app.token) as connected:
        await connected.receive("INIT")
        await make("autoResolve", "AutoResolveInput", implementation=outer["id"])
        await make("shelveInMemoryDrawer", "ShelveInMemoryDrawerInput", identifier="lab.mem", resourceId="r1")
        await connected.send("SESSION_INIT", session_id=connected.session, states={"Counter": {"count": 1}})
        task = await app.ask(
            "mutation($i: AssignInput!) { assign(input: $i) { id } }", i={"implementation": full["id"], "args": {}}
        )
        change = {"session_id": connected.session, "state_name": "Counter", "ts": 1.5, "task_id": task["id"]}
        replace = {"op": "replace", "path": "/count", "value": 2, "old_value": 1, "global_rev": 1}
        await connected.send("STATE_PATCH", **change, **replace)
        await connected.send("STATE_SNAPSHOT", session_id=connected.session, global_rev=2, snapshots={"Counter": {}})
        await connected.report("COMPLETED", task["id"])
        await connected.receive("EVENT_ACK")
    return offered


async def put(server: Served, grant: Json, body: bytes) -> None:
    store = S3Store(
        grant["bucket"],
        endpoint=server.url,
        access_key_id=grant["accessKey"],
        secret_access_key=grant["secretKey"],
        session_token=grant["sessionToken"],
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    await obstore.put_async(store, grant["key"], body)


def selection(kind: GraphQLObjectType, depth: int) -> str:
    """Select every field of `kind` that needs no argument, `depth` levels deep."""
    parts = ["__typename"]
    for name, field in kind.fields.items():
        if any(isinstance(arg.type, GraphQLNonNull) for arg in field.args.values()):
            continue
        inner: Any = field.type
        while isinstance(inner, GraphQLNonNull | GraphQLList):
            inner = inner.of_type
        if is_leaf_type(inner):
            parts.append(name)
        elif is_object_type(inner) and depth > 0:
            parts.append(f"{name} {selection(inner, depth - 1)}")
        elif is_abstract_type(inner):
            parts.append(f"{name} {{ __typename kind }}")
    return "{ " + " ".join(parts) + " }"


async def test_every_field_of_every_list_is_served(server: Served, app: Caller) -> None:
    await populate(server, app)
    async with httpx.AsyncClient(trust_env=False) as http:
        schema = build_schema((await http.get(f"{server.url}/rekuest/schema")).text)
    assert schema.query_type is not None
    empty = []
    for name, field in schema.query_type.fields.items():
        kind: Any = field.type
        if not isinstance(kind, GraphQLNonNull) or not isinstance(kind.of_type, GraphQLList):
            continue
        if any(isinstance(arg.type, GraphQLNonNull) for arg in field.args.values()):
            continue
        found = await app.ask(f"{{ {name} {selection(kind.of_type.of_type.of_type, 2)} }}")
        if not found:
            empty.append(name)
    assert empty == []


async def test_ports_are_read_back_as_they_were_defined(server: Served, app: Caller) -> None:
    offered = await offer(app, FULL)
    action = await app.ask(
        """query($id: ID!) { action(id: $id) { hash kind pure idempotent collections { name } portGroups { key ports }
        args { key kind identifier nullable default requires { key operator value } validators { function errorMessage }
          widget { __typename kind ... on SearchAssignWidget { query ward } ... on ChoiceAssignWidget { choices { value } }
            ... on SliderAssignWidget { min max step } ... on StringAssignWidget { placeholder asParagraph } }
          effects { __typename kind } children { key kind children { key kind default } } }
        returns { key provides { key operator value } widget { __typename } } } }""",
        id=offered["implementations"][0]["action"]["id"],
    )
    args = {one["key"]: one for one in action["args"]}
    assert args["image"]["requires"] == [{"key": "mikro.channels", "operator": "LTE", "value": 3}]
    assert args["image"]["widget"] is None
    assert [args[f"w{index}"]["widget"]["__typename"] for index in range(7)] == [
        "SearchAssignWidget",
        "ChoiceAssignWidget",
        "SliderAssignWidget",
        "StringAssignWidget",
        "CustomAssignWidget",
        "StateChoiceAssignWidget",
        "ProxyWidget",
    ]
    assert args["w1"]["widget"]["choices"] == [{"value": "3"}]
    assert str(args["list"]["children"][0]["children"][0]["default"]) == "20.0"
    assert [one["__typename"] for one in args["list"]["effects"]] == ["MessageEffect", "HideEffect", "CustomEffect"]
    assert action["returns"][0]["provides"] == [{"key": "mikro.z", "operator": "EXISTS", "value": True}]
    assert action["returns"][0]["widget"] is None
    assert (action["pure"], action["idempotent"]) == (True, True)
    assert action["collections"] == [{"name": "filters"}]


async def test_an_offer_replaces_the_one_before_and_a_wrong_one_changes_nothing(app: Caller) -> None:
    first = await offer(app, definition("one"), definition("two"), hash="abc")
    assert first["hash"] == "abc"
    second = await offer(app, definition("two"), definition("three"))
    assert [one["interface"] for one in second["implementations"]] == ["two", "three"]
    kept = {one["interface"]: one["id"] for one in first["implementations"]}
    assert second["implementations"][0]["id"] == kept["two"]
    with pytest.raises(Refused, match="exactly one child"):
        await offer(app, definition("bad", args=[port("l", "LIST")]))
    mine = await app.ask('{ myImplementationAt(interface: "three") { interface action { name } } }')
    assert mine == {"interface": "three", "action": {"name": "Three"}}
    with pytest.raises(Refused):
        await app.ask('{ myImplementationAt(interface: "one") { id } }')


async def test_actions_are_found_by_what_is_known_of_them(app: Caller) -> None:
    mark = uuid.uuid4().hex[:8]
    blur = definition(f"blur_{mark}", args=[port("image", **IMAGE)], returns=[port("return0", **IMAGE)])
    count = definition(f"count_{mark}", args=[port("image", **IMAGE), port("limit")], returns=[port("return0")])
    offered = await offer(app, blur, count, definition(f"noop_{mark}"))
    by_name = {one["interface"].split("_")[0]: one for one in offered["implementations"]}
    find = "query($f: ActionFilter, $o: [ActionOrder!], $p: OffsetPaginationInput) "
    find += "{ actions(filters: $f, ordering: $o, pagination: $p) { name } }"

    async def names(page: Json | None = None, order: list[Json] | None = None, **filters: Any) -> list[str]:
        found = await app.ask(find, f=filters, p=page, o=order or [])
        return [one["name"].split(" ")[0] for one in found]

    assert await names(search=mark.upper()) == ["Blur", "Count", "Noop"]
    assert await names({"limit": 1, "offset": 1}, search=mark) == ["Count"]
    assert await names(None, [{"definedAt": "DESC"}], search=mark) == ["Noop", "Count", "Blur"]
    assert await names(name={"iContains": f"BLUR {mark}"}) == ["Blur"]
    takes_image = {"kind": "ARGS", "matches": [{"at": 0, **IMAGE}]}
    assert await names(search=mark, demands=[takes_image]) == ["Blur", "Count"]
    gives_image = {"kind": "RETURNS", "matches": [IMAGE]}
    assert await names(search=mark, demands=[takes_image, gives_image]) == ["Blur"]
    assert await names(search=mark, NOT={"demands": [takes_image]}) == ["Noop"]
    ids = [by_name["noop"]["action"]["id"]]
    assert await names(search=f"missing {mark}", OR={"ids": ids}) == ["Noop"]
    assert await names(search=mark, kind="GENERATOR") == []
    with pytest.raises(Refused, match="empty"):
        await names(demands=[{"kind": "ARGS"}])

    made = by_name["blur"]
    for way, value in (
        ("id: ID", made["action"]["id"]),
        ("hash: ActionHash", made["action"]["hash"]),
        ("implementation: ID", made["id"]),
        ("matching: ActionDemandInput", {"key": f"blur_{mark}", "argMatches": [IMAGE]}),
    ):
        argument, kind = way.split(": ")
        document = f"query($v: {kind}) {{ action({argument}: $v) {{ id }} }}"
        assert await app.ask(document, v=value) == {"id": made["action"]["id"]}
    with pytest.raises(Refused) as refusal:
        await app.ask('{ action(id: "0") { id } }')
    assert refusal.value.code == "NOT_FOUND"


async def test_states_are_kept_with_their_history(server: Served, app: Caller) -> None:
    await offer(app, states=[COUNTER])
    async with raw_agent(server.url, app.token) as agent:
        await agent.send("SESSION_INIT", session_id=agent.session, states={"Counter": {"count": 1}, "Unknown": 1})
        await agent.receive("INIT")
        state = (await app.ask("{ states { id interface agent { client { clientId } } } }"))[-1]["id"]
        seen = "... on StateSnapshotEvent { value } ... on StatePatchEvent { op path value globalRevision }"
        watching = f"subscription($id: ID) {{ watchState(stateId: $id) {{ {seen} }} }}"
        async with app.subscribe(watching, id=state) as watch:
            assert await watch.next() == {"value": {"count": 1}}
            for revision, value in ((1, 5), (2, None)):
                patch = {"op": "replace", "path": "/count", "value": value, "ts": 1.5, "global_rev": revision}
                await agent.send("STATE_PATCH", session_id=agent.session, state_name="Counter", **patch)
                told = await watch.next()
                assert (told["value"], told["globalRevision"]) == (value, revision)
    read = "query($id: ID!, $r: Int) { checkout(state: $id, globalRevision: $r) { value globalRevision } }"
    assert (await app.ask(read, id=state, r=1))["value"] == {"count": 5}
    assert (await app.ask(read, id=state, r=None)) == {"value": {"count": None}, "globalRevision": 2}

    async def has_ended() -> bool:
        found = await app.ask("{ sessions { endedAt patches { op path value interface } } }")
        mine: Json = found[-1]
        assert [one["value"] for one in mine["patches"]] == [5, None]
        return mine["endedAt"] is not None

    await until(has_ended)


async def test_a_declared_dependency_is_filled_when_the_function_is_called(
    server: Served, redeem: str, app: Caller
) -> None:
    printer = f"test.printer.{uuid.uuid4().hex[:8]}"
    async with Caller(server.url, token_for(server.url, redeem, printer)) as helper:
        offered = await offer(helper, definition("do_stuff", args=[port("printer", "STRING")]))
        demand = {"key": "do_stuff", "app": printer, "argMatches": [{"at": 0, "key": "printer", "kind": "STRING"}]}
        depends = {
            "key": "printers",
            "app": printer,
            "autoResolvable": True,
            "actionDependencies": [{"key": "print", "demand": demand}],
        }
        outer = await offer(app, definition("outer"), outer={"dependencies": [depends]})
        assign = "mutation($i: AssignInput!) { assign(input: $i) { id dependencies } }"
        call = {"implementation": outer["implementations"][0]["id"], "args": {}}
        async with raw_agent(server.url, app.token) as agent:
            await agent.receive("INIT")
            with pytest.raises(Refused, match="0 connected agents"):
                await app.ask(assign, i=call)
            async with raw_agent(server.url, helper.token) as helping:
                await helping.receive("INIT")
                task = await app.ask(assign, i=call)
                made = {"agent": int(offered["id"]), "actions": {"print": int(offered["implementations"][0]["id"])}}
                assert task["dependencies"] == {"printers": [made]}
                request = {"reference": "r", "args": {"printer": "x"}, "parent": task["id"], "dependency": "printers"}
                await agent.send("ASSIGN_REQUEST", **request, method="fold")
                assert "no dependency" in (await agent.receive("ASSIGN_RESPONSE"))["error"]
                await agent.send("ASSIGN_REQUEST", **request, method="print")
                assert (await helping.receive("ASSIGN"))["args"] == {"printer": "x"}


async def test_hooks_run_before_and_after_a_task(server: Served, app: Caller) -> None:
    offered = await offer(app, definition("work"), definition("around", args=[port("task", "STRING")]))
    work, around = offered["implementations"]
    hooks = [{"kind": kind, "hash": around["action"]["hash"]} for kind in ("INIT", "CLEANUP")]
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        assign = "mutation($i: AssignInput!) { assign(input: $i) { id } }"
        task = await app.ask(assign, i={"implementation": work["id"], "args": {}, "hooks": hooks})
        orders = [await agent.receive("ASSIGN"), await agent.receive("ASSIGN")]
        init = next(order for order in orders if order["interface"] == "around")
        assert (init["args"], init["reference"], init["parent"]) == ({"task": task["id"]}, "init_hook_0", task["id"])
        await agent.report("COMPLETED", task["id"])
        cleanup = await agent.receive("ASSIGN")
        assert (cleanup["args"], cleanup["reference"]) == ({"task": task["id"]}, "cleanup_hook_0")


async def test_drawers_belong_to_their_agent_and_go_with_its_process(server: Served, redeem: str, app: Caller) -> None:
    await offer(app)
    shelve = "mutation($i: ShelveInMemoryDrawerInput!) { shelveInMemoryDrawer(input: $i) { id } }"
    take = "mutation($i: UnshelveMemoryDrawerInput!) { unshelveMemoryDrawer(input: $i) }"
    drawers = [(await app.ask(shelve, i={"identifier": "lab.mem", "resourceId": r}))["id"] for r in ("r1", "r2")]
    async with Caller(server.url, token_for(server.url, redeem, f"test.{uuid.uuid4().hex[:8]}")) as other:
        with pytest.raises(Refused, match="first"):
            await other.ask(shelve, i={"identifier": "lab.mem", "resourceId": "r1"})
        await offer(other)
        with pytest.raises(Refused) as refusal:
            await other.ask(take, i={"id": drawers[0]})
        assert refusal.value.code == "FORBIDDEN"
    async with raw_agent(server.url, app.token) as agent:
        await agent.receive("INIT")
        await app.ask("mutation($i: CollectInput!) { collect(input: $i) }", i={"drawers": drawers})
        assert (await agent.receive("COLLECT"))["drawers"] == drawers
    assert await app.ask(take, i={"id": drawers[0]}) == drawers[0]
    await offer(app)
    with pytest.raises(Refused):
        await app.ask(take, i={"id": drawers[1]})
