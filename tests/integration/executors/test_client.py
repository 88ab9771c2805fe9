"""The client against real servers on loopback that do everything wrong."""

import json

import pytest
import trio
import trio.testing

from tests.support.executor_side import BareServer, Seen, bare_server, connected, says, work
from wattswarm.executors.breaker import BreakerLimits, Phase
from wattswarm.executors.contract import ANSWER_BYTES_MAX, BodyRef, Progress
from wattswarm.executors.errors import (
    EvidenceRefused,
    ExecutorContractBroken,
    ExecutorRefused,
    ExecutorTooSlow,
    ExecutorUnavailable,
)
from wattswarm.executors.retry import RetryLimits

GOOD = b'{"candidate_output":{"answer":"yes"},"evidence_inline":[],"evidence_refs":[]}'
CAPABILITIES = b'{"task_types":["*"],"profiles":["*"],"provider_family":"f","model_id":"m"}'
NDJSON = "application/x-ndjson"
HELLO = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


async def test_a_good_answer_is_read() -> None:
    async with bare_server(says(GOOD)) as (url, server), connected(url) as client:
        answer = await client.execute(work(), traceparent="00-1-2-01")
    assert answer.candidate_output == {"answer": "yes"}
    assert answer.output_body() == b'{"answer":"yes"}'
    (seen,) = server.seen
    assert seen.target == "/execute"
    assert seen.headers["idempotency-key"] == "e1"
    assert seen.headers["traceparent"] == "00-1-2-01"
    assert seen.headers["accept-encoding"] == "identity"
    assert json.loads(seen.body)["attempt_id"] == "e1"


@pytest.mark.parametrize(
    ("body", "rule", "path"),
    [
        (b"", "bad_json", "$"),
        (b"\xff\xfe", "bad_json", "$"),
        (b'{"candidate_output":1,"candidate_output":2}', "bad_json", "$"),
        (b'{"candidate_output":NaN}', "bad_json", "$"),
        (b"[1]", "bad_field", "$"),
        (b"{}", "missing_field", "$.candidate_output"),
        (b'{"candidate_output":1}', "missing_field", "$.evidence_inline"),
        (
            b'{"candidate_output":1,"evidence_inline":[{"mime":"image/png","content":""}],'
            b'"evidence_refs":[]}',
            "mime_not_allowed",
            "$.evidence_inline[0].mime",
        ),
        (
            b'{"candidate_output":1,"evidence_inline":[],"evidence_refs":'
            b'[{"uri":"/x","digest":"md5:1","size_bytes":1,"mime":"text/plain"}]}',
            "bad_field",
            "$.evidence_refs[0].digest",
        ),
    ],
)
async def test_an_answer_that_is_none_says_where_and_why(body: bytes, rule: str, path: str) -> None:
    async with bare_server(says(body)) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorContractBroken) as caught:
            await client.execute(work())
    assert (caught.value.rule, caught.value.path) == (rule, path)


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    stopped = trio.Event()

    async def endless(stream: trio.SocketStream, seen: Seen) -> None:
        del seen
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        try:
            for _ in range(16 * ANSWER_BYTES_MAX // 65_536):
                await stream.send_all(b"x" * 65_536)
        except trio.BrokenResourceError:
            stopped.set()

    async with bare_server(endless) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorContractBroken, match="too_large"):
            await client.execute(work())
        await stopped.wait()


async def test_a_coded_answer_is_refused() -> None:
    coded = says(b"anything", more="content-encoding: gzip\r\n")
    async with bare_server(coded) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorContractBroken, match="encoded"):
            await client.execute(work())


async def _silent(stream: trio.SocketStream, seen: Seen) -> None:
    del seen
    await stream.receive_some()  # until the client goes


async def test_a_silent_executor_is_given_up_at_the_deadline(
    mock_clock: trio.testing.MockClock,
) -> None:
    async with bare_server(_silent) as (url, server), connected(url, timeout_ms=60_000) as client:
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _later() -> None:
                await server.arrived.wait()
                mock_clock.jump(60)

            with pytest.raises(ExecutorTooSlow) as caught:
                await client.execute(work())
        assert caught.value.waited_ms == 60_000
        assert len(server.seen) == 1
        assert client.statistics().breaker.failures == 1


async def test_a_shorter_deadline_counts(mock_clock: trio.testing.MockClock) -> None:
    async with (
        bare_server(_silent) as (url, server),
        connected(url) as client,
        trio.open_nursery() as nursery,
    ):

        @nursery.start_soon
        async def _later() -> None:
            await server.arrived.wait()
            mock_clock.jump(0.2)

        with pytest.raises(ExecutorTooSlow):
            await client.execute(work(), timeout_ms=200)


async def test_a_cut_answer_is_asked_for_again_with_the_same_key() -> None:
    async def cut_once(stream: trio.SocketStream, seen: Seen) -> None:
        if len(server.seen) == 1:
            await stream.send_all(b'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"cand')
        else:
            await says(GOOD)(stream, seen)

    server: BareServer
    async with bare_server(cut_once) as (url, server), connected(url) as client:
        answer = await client.execute(work())
    assert answer.candidate_output == {"answer": "yes"}
    assert [seen.headers["idempotency-key"] for seen in server.seen] == ["e1", "e1"]


async def test_retries_end() -> None:
    async def rude(stream: trio.SocketStream, seen: Seen) -> None:
        del stream, seen

    async with bare_server(rude) as (url, server), connected(url) as client:
        with pytest.raises(ExecutorUnavailable):
            await client.execute(work())
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("status", "times"), [("500 No", 1), ("422 No", 1), ("404 No", 1), ("302 Go", 1), ("503 No", 4)]
)
async def test_only_passing_statuses_are_tried_again(status: str, times: int) -> None:
    refusing = says(b"why\nnot", status=status, more="location: http://127.0.0.1:1/\r\n")
    async with bare_server(refusing) as (url, server), connected(url) as client:
        with pytest.raises(ExecutorRefused) as caught:
            await client.execute(work())
    assert caught.value.excerpt == "why not"
    assert len(server.seen) == times


async def test_an_executor_is_not_asked_before_it_wants_to_be(
    mock_clock: trio.testing.MockClock,
) -> None:
    async def busy_once(stream: trio.SocketStream, seen: Seen) -> None:
        if len(server.seen) == 1:
            await says(b"", status="503 Busy", more="retry-after: 7\r\n")(stream, seen)
            answered.set()
        else:
            await says(GOOD)(stream, seen)

    answered = trio.Event()
    server: BareServer
    async with (
        bare_server(busy_once) as (url, server),
        connected(url) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(client.execute, work())
        await answered.wait()
        while client.statistics().calls_in_flight:
            await trio.testing.wait_all_tasks_blocked(0.01)
            mock_clock.jump(1)
    assert trio.current_time() >= 7
    assert len(server.seen) == 2


async def test_what_does_not_speak_http_is_unavailable() -> None:
    async def babble(stream: trio.SocketStream, seen: Seen) -> None:
        del seen
        await stream.send_all(b"hello, who is there?\r\n\r\n")

    async with bare_server(babble) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorUnavailable):
            await client.health()


async def test_a_failing_executor_is_spared_and_found_well_again(
    mock_clock: trio.testing.MockClock,
) -> None:
    well = False

    async def sometimes(stream: trio.SocketStream, seen: Seen) -> None:
        await says(GOOD, status="200 OK" if well else "500 Ill")(stream, seen)

    limits = BreakerLimits(failures_max=3, open_ms_min=5_000)
    async with (
        bare_server(sometimes) as (url, server),
        connected(url, breaker=limits) as client,
    ):
        for _ in range(3):
            with pytest.raises(ExecutorRefused):
                await client.execute(work())
        with pytest.raises(ExecutorUnavailable) as caught:
            await client.execute(work())
        assert caught.value.retry_after_ms == 5_000
        assert len(server.seen) == 3
        well = True
        mock_clock.jump(5)
        await client.execute(work())
        assert client.statistics().breaker.phase is Phase.CLOSED


async def test_a_check_ends_the_sparing_of_an_executor_that_was_away() -> None:
    async def away_at_first(stream: trio.SocketStream, seen: Seen) -> None:
        if len(server.seen) > 1:
            await says(CAPABILITIES)(stream, seen)

    limits = BreakerLimits(failures_max=1)
    once = RetryLimits(attempts_max=1)
    server: BareServer
    async with (
        bare_server(away_at_first) as (url, server),
        connected(url, breaker=limits, retries=once) as client,
    ):
        with pytest.raises(ExecutorUnavailable):
            await client.execute(work())
        assert client.statistics().breaker.phase is Phase.OPEN
        await client.check()
        assert client.statistics().breaker.phase is Phase.CLOSED


async def test_a_check_does_not_end_the_sparing_of_an_executor_that_fails_at_work() -> None:
    async def fails_at_work(stream: trio.SocketStream, seen: Seen) -> None:
        status = "500 No" if seen.target == "/execute" else "200 OK"
        await says(CAPABILITIES, status=status)(stream, seen)

    limits = BreakerLimits(failures_max=1)
    async with bare_server(fails_at_work) as (url, _), connected(url, breaker=limits) as client:
        with pytest.raises(ExecutorRefused):
            await client.execute(work())
        await client.check()
        assert client.statistics().breaker.phase is Phase.OPEN


async def test_a_cancelled_call_says_nothing_about_the_executor() -> None:
    async with bare_server(_silent) as (url, server), connected(url) as client:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.execute, work())
            await server.arrived.wait()
            nursery.cancel_scope.cancel()
        assert client.statistics().breaker.failures == 0


async def test_calls_wait_for_a_free_place() -> None:
    async with (
        bare_server(_silent) as (url, server),
        connected(url, concurrency=1) as client,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(client.execute, work())
        nursery.start_soon(client.execute, work())
        await server.arrived.wait()
        await trio.testing.wait_all_tasks_blocked(0.01)
        found = client.statistics()
        assert (found.calls_in_flight, found.calls_waiting, len(server.seen)) == (1, 1, 1)
        client.tune(2)
        while len(server.seen) < 2:
            await trio.testing.wait_all_tasks_blocked(0.01)
        nursery.cancel_scope.cancel()


async def test_a_token_is_sent_and_never_shown() -> None:
    async with (
        bare_server(says(b"", status="401 No")) as (url, server),
        connected(
            url,
            environ={"TOKEN": "s3cret"},
            bearer_token_env="TOKEN",
            headers={"x-api-key": "k3y"},
        ) as client,
    ):
        with pytest.raises(ExecutorRefused) as caught:
            await client.health()
        shown = f"{client!r} {client.settings!r} {client.settings.shown()} {caught.value!r}"
    assert server.seen[0].headers["authorization"] == "Bearer s3cret"
    assert server.seen[0].headers["x-api-key"] == "k3y"
    assert "s3cret" not in shown
    assert "k3y" not in shown


async def test_a_token_that_is_missing_is_told_by_its_name() -> None:
    with pytest.raises(ExecutorUnavailable, match="TOKEN holds no bearer token"):
        async with connected("http://127.0.0.1:1", bearer_token_env="TOKEN"):
            pass


async def test_progress_is_heard_and_the_result_read() -> None:
    body = b'{"progress":{"message":"a","fraction":0.5}}\n\n{"progress":"b"}\n{"result":%b}' % GOOD
    heard: list[Progress] = []
    async with bare_server(says(body, media_type=NDJSON)) as (url, _), connected(url) as client:
        answer = await client.execute(work(), on_progress=heard.append)
    assert answer.candidate_output == {"answer": "yes"}
    assert heard == [Progress(message="a", fraction=0.5), Progress(message="b")]


@pytest.mark.parametrize(
    ("body", "rule", "path"),
    [
        (b'{"progress":"a"}\n', "no_result", "$"),
        (b'{"progress":2}\n', "bad_field", "$.progress.fraction"),
        (b'{"other":1}\n', "bad_line", "$"),
        (b'{"result":{}}\n{"progress":"late"}\n', "after_result", "$"),
        (b'{"result":{}}\n', "missing_field", "$.result.candidate_output"),
    ],
)
async def test_a_stream_out_of_order_breaks_the_contract(body: bytes, rule: str, path: str) -> None:
    async with bare_server(says(body, media_type=NDJSON)) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorContractBroken) as caught:
            await client.execute(work())
    assert (caught.value.rule, caught.value.path) == (rule, path)


async def test_a_stream_may_end_in_an_error() -> None:
    body = b'{"progress":"a"}\n{"error":{"status":422,"detail":"no such text"}}\n'
    async with bare_server(says(body, media_type=NDJSON)) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorRefused) as caught:
            await client.execute(work())
    assert (caught.value.status, caught.value.excerpt) == (422, "no such text")


def _ref(uri: str, *, digest: str = HELLO, size_bytes: int = 5) -> BodyRef:
    return BodyRef(uri=uri, digest=digest, size_bytes=size_bytes, mime="text/plain")


async def test_evidence_is_fetched_from_the_executor_and_checked() -> None:
    async with bare_server(says(b"hello")) as (url, server), connected(url) as client:
        assert await client.fetch_evidence(_ref(f"{url}/evidence/1")) == b"hello"
        assert await client.fetch_evidence(_ref("evidence/2")) == b"hello"
    assert [seen.target for seen in server.seen] == ["/evidence/1", "/evidence/2"]


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        (_ref("http://127.0.0.2/x"), "foreign_origin"),
        (_ref("file:///etc/passwd"), "foreign_origin"),
        (_ref("//elsewhere/x"), "foreign_origin"),
        (_ref("http://[broken"), "foreign_origin"),
        (_ref("x", digest=f"blake3:{'0' * 64}"), "digest_mismatch"),
        (_ref("x", size_bytes=6), "size_mismatch"),
        (_ref("x", size_bytes=2_000), "too_large"),
    ],
)
async def test_evidence_that_is_not_what_it_says_is_refused(ref: BodyRef, rule: str) -> None:
    async with bare_server(says(b"hello")) as (url, _), connected(url) as client:
        with pytest.raises(EvidenceRefused) as caught:
            await client.fetch_evidence(ref, bytes_max=1_000)
    assert caught.value.rule == rule


async def test_evidence_behind_a_redirect_is_not_followed() -> None:
    away = says(b"", status="302 Found", more="location: http://127.0.0.1:1/\r\n")
    async with bare_server(away) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorRefused):
            await client.fetch_evidence(_ref("x"))


async def test_evidence_larger_than_it_says_is_not_read() -> None:
    async with bare_server(says(b"hello" * 9)) as (url, _), connected(url) as client:
        with pytest.raises(ExecutorContractBroken, match="too_large"):
            await client.fetch_evidence(_ref("x"))


async def test_evidence_that_needs_leave_is_told_apart() -> None:
    async with bare_server(says(b"", status="403 No")) as (url, _), connected(url) as client:
        with pytest.raises(EvidenceRefused) as caught:
            await client.fetch_evidence(_ref("x"))
    assert caught.value.rule == "auth_denied"
