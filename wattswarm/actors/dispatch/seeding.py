"""What an executor is told about earlier decisions: found, bounded, and kept before it is told.

After a crash the same is told again, though more may have been decided since: a request is made
again only as it was. What is nothing is not kept: to work that was begun before this docket was
read, nothing is added.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import attrs

from wattswarm.actors.dispatch.asking import parsed
from wattswarm.actors.dispatch.bodies import Bodies
from wattswarm.actors.dispatch.docket import Docket
from wattswarm.actors.dispatch.failing import WorkFailed
from wattswarm.actors.precedents import Found, confidence
from wattswarm.executors.contract import EVIDENCE_ITEMS_MAX, Stage
from wattswarm.executors.fields import Fields, Json, parse, write
from wattswarm.executors.seed import (
    AVOIDED_MAX,
    BUNDLE_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    SeedBundle,
    SeedHit,
    fitted,
)
from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.duty import Execute
from wattswarm.kernel.execution import seed_id
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.knowledge import may_reuse
from wattswarm.kernel.policy import ReasonCode
from wattswarm.kernel.state import TaskState
from wattswarm.store.merit_reader import PrecedentLine

KEPT_BYTES_MAX: Final = 2 * BUNDLE_BYTES_MAX
ID_CHARS: Final = 128

Look = Callable[[TaskState, int, bool], Awaitable[Found]]
"""Finds what was decided before some date (ms), and whether an answer may be repeated."""

Keep = Callable[[bytes, bytes], Awaitable[None]]
"""Has bytes on the disk under a name of 32 bytes; raises `NoRoom`."""


@attrs.frozen(kw_only=True)
class Seed:
    """What an executor is told: why it is asked, and a bundle of hits.

    An output with the digest `output` repeats the decision `repeats`.
    """

    stage: Stage = Stage.EXPLORE
    bundle: Mapping[str, Json] | None = None
    output: str = ""
    repeats: EventId | None = None

    def decision(self, output_digest: str) -> EventId | None:
        """Return the decision that an output repeats, when it was told to the executor."""
        return self.repeats if output_digest == self.output else None

    def encode(self) -> bytes:
        """Return the bytes that `read` understands."""
        repeats = "" if self.repeats is None else self.repeats.hex()
        return write(
            {
                "stage": self.stage.value,
                "bundle": self.bundle,
                "output": self.output,
                "repeats": repeats,
            }
        )


NOTHING: Final = Seed()


def read(kept: bytes) -> Seed:
    """Return the seed that was kept.

    Raises:
        Malformed: The bytes hold none: somebody changed them.
    """
    fields = Fields.of(parse(kept, bytes_max=KEPT_BYTES_MAX), "$")
    repeats = bytes.fromhex(fields.text("repeats", chars_max=ID_CHARS))
    return Seed(
        stage=Stage(fields.text("stage", chars_max=ID_CHARS)),
        bundle=fields.object("bundle") if fields.has("bundle") else None,
        output=fields.text("output", chars_max=ID_CHARS),
        repeats=EventId(repeats) if repeats else None,
    )


@attrs.frozen(kw_only=True)
class Seeder:
    """Says what an executor is told for a piece of work: the same each time."""

    bodies: Bodies
    look: Look

    async def seed(self, docket: Docket, duty: Execute, now_ms: int, keep: Keep) -> Seed:
        """Return what the executor is told; it is kept by then, if it is anything.

        Raises:
            NoRoom: It cannot be kept.
        """
        name = seed_id(bytes.fromhex(duty.execution_id))
        kept = docket.answers.get(name)
        if kept is not None:
            return read(kept)
        if duty.claim in docket.earlier:
            return NOTHING
        state = docket.state
        may_repeat = may_reuse(state, now_ms)
        found = await self.look(state, state.claims[duty.claim].created_at, may_repeat)
        made = await self._made(state, found, may_repeat=may_repeat)
        if made.bundle is None:
            docket.answers[name] = made.encode()
        else:
            await keep(name, made.encode())
        return made

    async def _made(self, state: TaskState, found: Found, *, may_repeat: bool) -> Seed:
        repeatable = found.repeatable if may_repeat else None
        hits = [await self._exact(repeatable)] if repeatable is not None else []
        hits += [_similar(hit.line, hit.resemblance_bp) for hit in found.similar]
        bundle = fitted(
            SeedBundle(
                hits=tuple(hits),
                must_consider=_claims(state.terms),
                must_avoid=tuple(sorted(found.rejected))[:AVOIDED_MAX],
            )
        )
        if bundle is None:
            return NOTHING
        if repeatable is not None and bundle.exact is not None:
            return Seed(
                stage=Stage.DECIDE,
                bundle=bundle.to_json(),
                output=repeatable.output_digest,
                repeats=repeatable.decision,
            )
        stage = Stage.DIVERGE_MODE if bundle.must_avoid else Stage.EXPLORE
        return Seed(stage=stage, bundle=bundle.to_json())

    async def _exact(self, line: PrecedentLine) -> SeedHit:
        return attrs.evolve(_similar(line, None), is_exact=True, output=await self._output(line))

    async def _output(self, line: PrecedentLine) -> Json:
        """Return an earlier output, if it is small JSON and here; else None."""
        if line.output_size_bytes > PAYLOAD_BYTES_MAX:
            return None
        ref = ArtifactRef(
            digest=line.output_digest, size_bytes=line.output_size_bytes, mime=line.output_mime
        )
        body = await self.bodies.get(ref)
        try:
            return None if body is None else parsed(body)
        except WorkFailed:
            return None


def _similar(line: PrecedentLine, resemblance_bp: int | None) -> SeedHit:
    return SeedHit(
        is_exact=False,
        task_id=line.task_id.hex(),
        epoch=line.epoch,
        decision_id=line.decision.hex(),
        output_digest=line.output_digest,
        summary=line.summary or "",
        evidence=line.evidence[:EVIDENCE_ITEMS_MAX],
        reason_codes=(int(ReasonCode.SCHEMA_OK),),
        confidence=1 if resemblance_bp is None else confidence(resemblance_bp),
    )


def _claims(terms: Contract) -> tuple[str, ...]:
    policy = terms.policy
    claims = (f"policy:{policy.id}:{policy.version}", f"task_type:{terms.task_type}")
    return tuple(claim[:ID_CHARS] for claim in claims)
