"""The event log on a terminal."""

import json

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import clock, duration, pairs, short, size, table, word
from wattswarm.kernel.codes import CODES
from wattswarm.surface.log import (
    Digests,
    EventPage,
    EventView,
    Exported,
    Imported,
    LogHead,
    Replayed,
    Verified,
)


def head_view(head: LogHead) -> RenderableType:
    """Return where the log ends."""
    return pairs(
        ("seq", str(head.seq)),
        ("chain", head.chain),
        ("writer term", str(head.writer_term)),
        ("projected", f"{head.projected_seq} ({head.seq - head.projected_seq} behind)"),
    )


def events_view(page: EventPage) -> RenderableType:
    """Return events, one a line."""
    made = table(
        "seq", "event", "kind", "author", "task", "created", "size", numbers=("seq", "size")
    )
    for event in page.items:
        made.add_row(
            str(event.seq),
            short(event.event_id),
            event.event_kind,
            short(event.author),
            short(event.task_id),
            clock(event.created_at),
            size(event.body_bytes),
        )
    return made


def event_view(event: EventView) -> RenderableType:
    """Return one event in full."""
    head = pairs(
        ("event", event.event_id),
        ("kind", f"{event.event_kind} ({event.lane_class}, {event.scope})"),
        ("seq", str(event.seq)),
        ("author", event.author),
        ("task", event.task_id or "–"),
        ("epoch", str(event.epoch)),
        ("created", event.created_at),
        ("received", event.received_at),
        ("chain", event.chain),
        ("signature", event.signature),
        ("verdict", event.sentence or "–"),
    )
    return Group(head, Text(json.dumps(event.payload, indent=2, ensure_ascii=False)))


def verified_view(verified: Verified) -> RenderableType:
    """Return whether the log is sound, and if not, where it breaks."""
    seconds = max(verified.duration_ms, 1) / 1_000
    rate = f"{verified.events / seconds:,.0f} events/s"
    if verified.fault is None:
        told = f"{verified.events} events verified in {duration(verified.duration_ms)} ({rate})"
        return Text.assemble(word("ok"), f"  {told}")
    fault = verified.fault
    where = f"event {fault.seq} ({fault.event_id[:12]})"
    return Text.assemble(word("failed"), f"  {where}: {fault.message} [{fault.code}]")


def replayed_view(replayed: Replayed) -> RenderableType:
    """Return what a rebuild gave."""
    outcome = word("failed" if replayed.equal is False else "ok")
    told = (
        f"  {replayed.events} events, {replayed.groups} groups in "
        f"{duration(replayed.duration_ms)}; "
        f"digest {replayed.digest[:12]}"
    )
    compared = {None: "", True: ", equal to the live projections", False: ", and it DIFFERS"}
    lines = [Text.assemble(outcome, told, compared[replayed.equal])]
    lines += [Text(f"  scope {scope} differs", "red") for scope in replayed.differing_scopes]
    lines += [Text(f"  task {task[:12]} is quarantined", "red") for task in replayed.quarantined]
    return Group(*lines)


def exported_view(exported: Exported) -> RenderableType:
    """Return what was written."""
    told = f"  {exported.events} events, {size(exported.bytes)}, into {exported.file}"
    return Group(Text.assemble(word("ok"), told), Text(f"  hash {exported.hash}"))


def imported_view(imported: Imported) -> RenderableType:
    """Return what became of the events of a file."""
    seconds = max(imported.duration_ms, 1) / 1_000
    told = (
        f"  {imported.received} events in {duration(imported.duration_ms)} "
        f"({imported.received / seconds:,.0f} events/s): {imported.appended} appended, "
        f"{imported.already} known, {imported.refused} refused"
    )
    outcome = word("ok" if imported.intact and not imported.refused else "failed")
    lines = [Text.assemble(outcome, told)]
    for code, count in sorted(imported.refusals.items()):
        meaning = CODES.get(code, "")
        lines.append(Text(f"  {count} × {code}: {meaning}".rstrip(": "), "red"))
    if imported.fault is not None:
        lines.append(Text(f"  {imported.fault.message} [{imported.fault.code}]", "red"))
    elif not imported.intact:
        lines.append(Text("  the archive was changed after it was made", "red"))
    return Group(*lines)


def digests_view(digests: Digests) -> RenderableType:
    """Return the digests of all scopes."""
    made = table("scope", "digest", "groups", numbers=("groups",))
    for scope in digests.scopes:
        made.add_row(scope.scope, scope.digest, str(scope.groups))
    made.caption = f"all: {digests.digest}  at seq {digests.projected_seq} of {digests.head_seq}"
    return made
