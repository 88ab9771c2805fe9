"""The API over a small node in memory: operations, problems, the gate, and the live stream."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import trio

from tests.support.small_node import ACTOR_NAMES, SmallNode
from wattswarm.api.app import ApiSettings, create_app
from wattswarm.api.endpoint import Bounds
from wattswarm.api.operation import Operation
from wattswarm.api.problems import CONTENT_TYPE
from wattswarm.api.routes import OPERATIONS
from wattswarm.surface.governance import ChangeOrder, GovernanceChanged
from wattswarm.surface.node import NodeView
from wattswarm.surface.statement import EventOrder, Stated

TOKEN = "token-of-the-test"
HEADERS = {"authorization": f"Bearer {TOKEN}"}
CONTRACT = {"task_type": "summarize", "inputs": {"text": "a"}}


def settings(**changes: Any) -> ApiSettings:
    bounds = Bounds(body_bytes_max=4_096, archive_bytes_max=64, request_ms=2_000, page_items=2)
    return ApiSettings(
        **{"token": TOKEN, "host": "127.0.0.1", "bounds": bounds, "is_chaos_enabled": True}
        | changes
    )


def client_of(node: SmallNode, **changes: Any) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=create_app(node, settings(**changes)))
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=HEADERS)


@pytest.fixture
def node() -> SmallNode:
    return SmallNode()


@pytest.fixture
async def client(node: SmallNode) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(node) as client:
        yield client


def problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    document = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert answer.headers["content-type"] == CONTENT_TYPE
    assert document["status"] == status
    assert document["type"].endswith(code)
    assert document["title"]
    assert document["detail"]
    return document


async def submit(client: httpx2.AsyncClient, **contract: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/tasks", json={"contract": CONTRACT | contract})
    assert answer.status_code == 201, answer.text
    return answer.json()


# --- tasks


async def test_a_contract_becomes_a_task_with_its_defaults_filled_in(
    client: httpx2.AsyncClient,
) -> None:
    made = await submit(client)
    assert made["seq"] == 1
    assert made["already"] is False
    assert made["contract"]["lease_ms"] == 30_000
    answer = await client.get(f"/api/v1/tasks/{made['task_id']}", params={"min_seq": 1})
    assert answer.json()["task"]["state"] == "open"


async def test_a_unique_prefix_names_a_task_and_an_ambiguous_one_does_not(
    client: httpx2.AsyncClient,
) -> None:
    made = [await submit(client) for _ in range(3)]
    answer = await client.get(f"/api/v1/tasks/{made[1]['task_id'][:10]}")
    assert answer.json()["task"]["task_id"] == made[1]["task_id"]
    problem(await client.get("/api/v1/tasks/zz"), 404, "not_found")
    problem(await client.get("/api/v1/events"), 405, "method_not_allowed")


async def test_a_wrong_contract_is_refused_with_every_error_and_its_path(
    client: httpx2.AsyncClient,
) -> None:
    wrong = {"contract": {"task_typ": "x", "lease_ms": -1}}
    document = problem(await client.post("/api/v1/tasks", json=wrong), 422, "contract_invalid")
    paths = {error["path"] for error in document["errors"]}
    assert {"$.task_typ", "$.task_type", "$.lease_ms"} <= paths

    checked = (await client.post("/api/v1/tasks/validate", json=wrong)).json()
    assert checked["valid"] is False
    assert {error["path"] for error in checked["errors"]} == paths


async def test_the_sample_contract_is_valid(client: httpx2.AsyncClient) -> None:
    sample = (await client.get("/api/v1/tasks/sample")).json()
    checked = (await client.post("/api/v1/tasks/validate", json={"contract": sample})).json()
    assert checked["valid"] is True


async def test_one_key_makes_one_task(client: httpx2.AsyncClient) -> None:
    async def send(contract: dict[str, Any]) -> httpx2.Response:
        return await client.post(
            "/api/v1/tasks", json={"contract": contract}, headers={"idempotency-key": "k-1"}
        )

    first = (await send(CONTRACT)).json()
    again = (await send(CONTRACT)).json()
    assert (again["task_id"], again["already"]) == (first["task_id"], True)
    problem(await send({"task_type": "other"}), 409, "idempotency_conflict")


async def test_tasks_are_paged_by_a_cursor(client: httpx2.AsyncClient) -> None:
    made = [(await submit(client))["task_id"] for _ in range(5)]
    seen, cursor = [], None
    while True:
        query = {"cursor": cursor} if cursor else {}
        page = (await client.get("/api/v1/tasks", params=query)).json()
        assert len(page["items"]) <= 2
        seen += [row["task_id"] for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == made[::-1]


async def test_tasks_are_filtered(client: httpx2.AsyncClient, node: SmallNode) -> None:
    made = await submit(client)
    await submit(client, task_type="other")
    await node.finish(made["task_id"])
    final = (await client.get("/api/v1/tasks", params={"state": "final"})).json()["items"]
    assert [row["task_id"] for row in final] == [made["task_id"]]
    other = (await client.get("/api/v1/tasks", params={"task_type": "other"})).json()["items"]
    assert [row["task_type"] for row in other] == ["other"]


async def test_a_decision_is_refused_until_there_is_one(
    client: httpx2.AsyncClient, node: SmallNode
) -> None:
    task_id = (await submit(client))["task_id"]
    path = f"/api/v1/tasks/{task_id}/decision"
    problem(await client.get(path), 409, "not_decided")
    await node.finish(task_id)
    assert (await client.get(path)).json()["output_json"] == {"answer": "42"}


async def test_a_read_that_cannot_have_ones_own_write_says_so(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/tasks", params={"min_seq": 99})
    problem(answer, 503, "not_caught_up")
    assert answer.headers["retry-after"]


async def test_a_body_is_a_download_and_no_page(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/artifacts/blake3:abab")
    assert answer.content == b"<b>42</b>"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


# --- the rest of the table


async def test_executors_are_added_checked_and_removed(client: httpx2.AsyncClient) -> None:
    spec = {"name": "one", "base_url": "http://127.0.0.1:1", "token_env": "ONE_TOKEN"}
    added = await client.post("/api/v1/executors", json=spec)
    assert added.status_code == 201
    assert added.json()["has_token"] is True
    assert "ONE_TOKEN" not in added.text
    assert (await client.post("/api/v1/executors/one/check")).json()["ok"] is False
    assert (await client.delete("/api/v1/executors/one")).json() == {"name": "one"}
    problem(await client.delete("/api/v1/executors/one"), 404, "not_found")
    problem(
        await client.post("/api/v1/executors", json={"name": "one", "base_url": "file:///etc"}),
        422,
        "executor_invalid",
    )


async def test_dials_are_turned_all_or_none(client: httpx2.AsyncClient, node: SmallNode) -> None:
    path = "/api/v1/actors/projection_builder/0"
    turned = await client.post(f"{path}/tune", json={"dials": {"batch": 8}, "for_ms": 1_000})
    assert turned.json()["changes"][0]["old"] == 512
    wrong = await client.post(f"{path}/tune", json={"dials": {"batch": 9, "speed": 1}})
    problem(wrong, 422, "dial_invalid")
    assert node.dials["projection_builder/0"]["batch"] == 8
    detail = (await client.get(path)).json()
    assert detail["stats"]["name"] == "projection_builder/0"


async def test_every_operation_answers_with_a_document(node: SmallNode) -> None:
    bodies: dict[str, Any] = {
        "submit_task": {"contract": CONTRACT},
        "validate_contract": {"contract": CONTRACT},
        "add_executor": {"name": "one", "base_url": "http://127.0.0.1:9"},
        "replay_log": {"verify": True},
        "ingest_events": b"ab",
        "collect_artifacts": {"dry_run": True},
        "tune_actor": {"dials": {"batch": 1}},
        "arm_fault": {"fault": "kill", "target": "log"},
        **{name: {"reason": "why"} for name in (*CONTROLS, *CREATORS_WORDS)},
        "settle_claim": {"receipt": {"paid": 3}},
        "change_governance": {"threshold": 3, "dry_run": True, "supersede": True},
        "sign_version": {"dry_run": True},
        "admit_node": {"node": "5e" * 32},
        "give_feedback": {"reason": "why"},
        "reject_reuse": {"candidate": "cd"},
        "post_message": {"feed_key": "news", "text": "hello"},
        "subscribe": {"feed_key": "news"},
        "announce_task": {"feed_key": "market"},
        "declare_intent": {"execution_set": "s", "intent": "accepted"},
        "confirm_set": {
            "execution_set": "s",
            "members": [{"node_id": "07" * 32, "role_hint": "executor"}],
        },
        "create_checkpoint": {},
        "end_epoch": {"reason": "why", "out_of_turn": True},
        "revoke_event": {"event": "e1" * 32, "reason": "why"},
        "restore_event": {"event": "e1" * 32, "dry_run": True},
        "penalize_node": {"node": "5e" * 32, "cut": True, "keep": ["e3"]},
        "pardon_node": {"node": "5e" * 32},
        "sign_statement": {"dry_run": True},
    }
    async with client_of(node) as client:
        task_id = (await submit(client))["task_id"]
        await node.finish(task_id)
        other_id = (await submit(client))["task_id"]
        going_on = (await submit(client, **CONTINUOUS))["task_id"]
        order = ChangeOrder(params={"a": 1}, out_of_turn=True)
        draft = await node.council.other.writes.change_governance(order)
        assert isinstance(draft, GovernanceChanged)
        begun = await node.council.other.states.revoke_event(EventOrder(event="e1" * 32))
        assert isinstance(begun, Stated)
        assert begun.statement is not None
        await client.post("/api/v1/executors", json=bodies["add_executor"])
        said = await client.post("/api/v1/topics/messages", json=bodies["post_message"])
        names = {**dict.fromkeys(CONTROLS, other_id), "get_message": said.json()["event_id"]}
        names["end_epoch"] = going_on
        for operation in sorted(OPERATIONS, key=lambda item: item.method == "DELETE"):
            answer = await client.request(
                operation.method,
                _filled(
                    operation,
                    names.get(operation.name, task_id),
                    begun.statement.statement_id
                    if operation.name == "sign_statement"
                    else draft.version.version_id,
                ),
                **_payload(bodies.get(operation.name)),
            )
            assert answer.status_code == operation.status, (operation.name, answer.text)
    assert node.state == "stopping"


CONTINUOUS = {"mode": "continuous", "budget_mode": "epoch_renew"}
CONTROLS = {"stop_task", "suspend_task", "resume_task", "kill_task"}
CREATORS_WORDS = {"approve_claim", "decline_claim", "accept_candidate", "reject_candidate"}


def _filled(operation: Operation, task_id: str, version_id: str = "00") -> str:
    path = operation.path.replace("{name:path}", ACTOR_NAMES[0])
    drops = operation.name == "drop_dead_letter"
    path = path.replace("{letter_id}", "2" if drops else "1")
    path = path.replace("{claim}", "c1").replace("{candidate}", "cd")
    names = {
        "tasks": task_id,
        "topics": task_id,
        "executors": "one",
        "log": "1",
        "artifacts": "blake3:ab",
    }
    names["governance"] = version_id
    return path.replace("{name}", names.get(operation.path.split("/")[3], ""))


def _payload(body: Any) -> dict[str, Any]:
    if body is None:
        return {}
    return {"content": body} if isinstance(body, bytes) else {"json": body}


# --- bad input


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"\xff", 400, "bad_json"),
        (b'{"contract": {"task_type": "\xff\xfe"}}', 400, "bad_json"),
        (b"NaN", 400, "bad_json"),
        (b'{"contract": {"name": "a", "name": "b"}}', 400, "bad_json"),
        (b"[" * 2_000, 400, "bad_json"),
        (b"[]", 422, "bad_document"),
        (b"{}", 422, "bad_document"),
        (b'{"contract": 1}', 422, "bad_document"),
        (b'{"contract": {}, "x": 1}', 422, "bad_document"),
        (b'{"contract": {}}', 422, "contract_invalid"),
        (b" " * 5_000, 413, "body_too_large"),
    ],
)
async def test_a_bad_body_gets_a_problem(
    client: httpx2.AsyncClient, body: bytes, status: int, code: str
) -> None:
    problem(await client.post("/api/v1/tasks", content=body), status, code)


async def test_a_long_body_without_a_length_is_cut_off(client: httpx2.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000

    problem(await client.post("/api/v1/tasks", content=endless()), 413, "body_too_large")


async def test_another_media_type_is_refused(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/v1/tasks", content=b"{}", headers={"content-type": "text/xml"})
    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "bad_parameter"),
        ("limit=501", "bad_parameter"),
        ("limit=x", "bad_parameter"),
        ("limit=1&limit=2", "bad_parameter"),
        ("limits=1", "unknown_parameter"),
        ("min_seq=-1", "bad_parameter"),
        ("min_seq=" + "9" * 30, "bad_parameter"),
    ],
)
async def test_a_bad_parameter_gets_a_problem(
    client: httpx2.AsyncClient, query: str, code: str
) -> None:
    problem(await client.get(f"/api/v1/tasks?{query}"), 400, code)


@pytest.mark.parametrize("key", ["", " ", "k" * 129])
async def test_a_bad_idempotency_key_gets_a_problem(client: httpx2.AsyncClient, key: str) -> None:
    answer = await client.post(
        "/api/v1/tasks", json={"contract": CONTRACT}, headers={"idempotency-key": key}
    )
    problem(answer, 400, "bad_request")


async def test_a_path_that_is_not_there_gets_a_problem(client: httpx2.AsyncClient) -> None:
    problem(await client.get("/api/v1/nothing"), 404, "no_such_route")
    problem(await client.put("/api/v1/node"), 405, "method_not_allowed")
    problem(await client.post("/api/v1/dead-letters/x/retry"), 404, "not_found")


async def test_a_slow_node_gets_a_problem_and_no_hang(
    node: SmallNode, autojump_clock: trio.testing.MockClock
) -> None:
    node.slow_s = 60
    async with client_of(node) as client:
        problem(await client.get("/api/v1/doctor", timeout=None), 504, "timed_out")


class BrokenNode(SmallNode):
    """A node with a bug."""

    async def node(self) -> NodeView:
        raise ZeroDivisionError("a secret")


async def test_a_bug_gets_a_problem_that_hides_its_text() -> None:
    app = create_app(BrokenNode(), settings())
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answer = await client.get("/api/v1/node", headers=HEADERS)
    problem(answer, 500, "internal")
    assert "a secret" not in answer.text


# --- the gate


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", TOKEN]
)
async def test_without_the_token_nothing_private_is_told(
    client: httpx2.AsyncClient, authorization: str
) -> None:
    for operation in OPERATIONS:
        answer = await client.request(
            operation.method, _filled(operation, "00"), headers={"authorization": authorization}
        )
        problem(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_health_and_on_loopback_metrics_need_no_token(
    client: httpx2.AsyncClient, path: str
) -> None:
    assert (await client.get(path, headers={"authorization": ""})).status_code == 200


async def test_off_loopback_metrics_need_the_token(node: SmallNode) -> None:
    async with client_of(node, host="10.0.0.1") as client:
        problem(await client.get("/metrics", headers={"authorization": ""}), 401, "unauthorized")


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7788", "", "127.0.0.1.evil.example", "[::1]evil", "[::1"],
)
async def test_a_foreign_host_is_refused_even_for_health(
    client: httpx2.AsyncClient, host: str
) -> None:
    problem(await client.get("/healthz", headers={"host": host}), 403, "forbidden_host")


@pytest.mark.parametrize("host", ["localhost:7788", "127.0.0.1", "[::1]:7788", "node.example"])
async def test_loopback_and_configured_hosts_are_served(node: SmallNode, host: str) -> None:
    async with client_of(node, allowed_hosts=("node.example",)) as client:
        assert (await client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://["]
)
async def test_another_sites_requests_are_refused(client: httpx2.AsyncClient, origin: str) -> None:
    answer = await client.get("/api/v1/node", headers={"origin": origin})
    problem(answer, 403, "forbidden_origin")


async def test_our_own_pages_requests_are_served(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/node", headers={"origin": "http://127.0.0.1"})
    assert answer.status_code == 200


async def test_more_requests_than_allowed_are_refused_at_once(
    node: SmallNode, autojump_clock: trio.testing.MockClock
) -> None:
    node.slow_s = 1
    codes: list[int] = []

    async def ask(client: httpx2.AsyncClient) -> None:
        codes.append((await client.get("/api/v1/doctor")).status_code)

    async with client_of(node, requests_max=2) as client, trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(ask, client)
    assert sorted(codes) == [200, 200, 503, 503, 503]


async def test_faults_have_no_routes_unless_they_are_enabled(node: SmallNode) -> None:
    async with client_of(node, is_chaos_enabled=False) as client:
        problem(await client.get("/api/v1/chaos/points"), 404, "no_such_route")


# --- health, metrics


async def test_readiness_says_why_not(node: SmallNode) -> None:
    node.state = "read_only"
    async with client_of(node) as client:
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["reasons"] == ["the node is read_only"]
        assert (await client.get("/healthz")).status_code == 200


async def test_health_tells_of_armed_faults(client: httpx2.AsyncClient) -> None:
    await client.post("/api/v1/chaos/faults", json={"fault": "kill", "target": "log"})
    assert (await client.get("/healthz")).json()["faults_armed"] == 1


async def test_metrics_tell_of_node_actors_and_requests(client: httpx2.AsyncClient) -> None:
    await submit(client)
    text = (await client.get("/metrics")).text
    assert "wattswarm_log_head_seq 1.0" in text
    assert 'wattswarm_actor_inbox_depth{actor="sel_writer"} 1.0' in text
    assert 'wattswarm_api_requests_total{status="201"} 1.0' in text


# --- the OpenAPI document


async def test_the_openapi_document_holds_every_route(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/api/v1/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    for operation in OPERATIONS:
        path = operation.path.replace(":path}", "}")
        item = document["paths"][path][operation.method.lower()]
        assert item["operationId"] == operation.name
        assert str(operation.status) in item["responses"]
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/stream"):
        assert "get" in document["paths"][path]


async def test_the_openapi_document_refers_only_to_what_it_holds(
    client: httpx2.AsyncClient,
) -> None:
    text = (await client.get("/api/v1/openapi.json")).text
    schemas = json.loads(text)["components"]["schemas"]
    used = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert used <= schemas.keys()
    assert {"TaskView", "Problem", "ActorsTop"} <= schemas.keys()


def test_operation_names_and_paths_are_unique() -> None:
    assert len({item.name for item in OPERATIONS}) == len(OPERATIONS)
    assert len({(item.method, item.path) for item in OPERATIONS}) == len(OPERATIONS)
    assert all(item.summary.endswith(".") for item in OPERATIONS)
