"""Artifacts on a terminal."""

from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import duration, pairs, size, table, word
from wattswarm.surface.artifact import (
    ArtifactPage,
    ArtifactRecord,
    ArtifactsCollected,
    ArtifactsVerified,
)

SHORT: Final = len("blake3:") + 12


def artifacts_view(page: ArtifactPage) -> RenderableType:
    """Return artifacts, one a line."""
    made = table("artifact", "size", "stored", "named by", numbers=("size",))
    for each in page.items:
        named = "something" if each.named else "nothing"
        tasks = f"{each.tasks} tasks" if each.tasks != 1 else "1 task"
        made.add_row(
            Text(each.digest[:SHORT], "magenta"),
            size(each.size_bytes),
            each.stored_at,
            tasks if each.tasks else Text(named, "dim"),
        )
    if page.next is not None:
        made.caption = f"more: --cursor {page.next}"
    return made


def artifact_view(record: ArtifactRecord) -> RenderableType:
    """Return one artifact."""
    return pairs(
        ("artifact", record.digest),
        ("size", size(record.size_bytes)),
        ("type", record.mime or "–"),
        ("stored", record.stored_at),
        ("named", "yes" if record.named else "no"),
        *(("task", task) for task in record.tasks),
    )


def verified_view(verified: ArtifactsVerified) -> RenderableType:
    """Return whether all bodies are what their names say."""
    told = (
        f"  {verified.artifacts} artifacts, {size(verified.bytes)}, "
        f"read in {duration(verified.duration_ms)}"
    )
    lines = [Text.assemble(word("ok" if verified.ok else "failed"), told)]
    return Group(*lines, *(Text(f"  {digest} is damaged", "red") for digest in verified.damaged))


def collected_view(collected: ArtifactsCollected) -> RenderableType:
    """Return what was removed, or would be."""
    verb = "would be removed" if collected.dry_run else "removed"
    told = (
        f"  {collected.unnamed} unnamed artifacts and {collected.ended} of ended tasks "
        f"({size(collected.bytes)}), {collected.answers} stored answers {verb}"
    )
    lines = [Text.assemble(word("ok"), told)]
    lines += [Text(f"  {digest}", "dim") for digest in collected.digests]
    if not collected.complete:
        lines.append(Text("  there is more: collect again", "yellow"))
    return Group(*lines)
