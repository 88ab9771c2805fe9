"""The node, its findings and its settings on a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from wattswarm.cli.views.style import MARKS, STYLES, duration, pairs, table, word
from wattswarm.surface.node import ConfigView, Diagnosis, NodeView, SigningView


def node_view(node: NodeView) -> RenderableType:
    """Return the node on one page."""
    lag = node.log.head_seq - node.log.projected_seq
    tasks = ", ".join(f"{count} {state}" for state, count in node.tasks.items()) or "none"
    page = pairs(
        ("node", node.node_id),
        ("state", word(node.state)),
        ("mode", f"{node.mode} (profile {node.profile}, version {node.version})"),
        ("address", node.api_url),
        ("state dir", node.state_dir),
        ("process", f"{node.pid}, up {duration(node.uptime_ms)}"),
        ("database", f"PostgreSQL {node.database.version}, {node.database.kind}"),
        ("log", f"{node.log.head_seq} events, projections {lag} behind"),
        ("tasks", tasks),
        ("executors", str(node.executors)),
        ("actors", f"{node.actors_running} running, {node.restarts} restarts"),
        ("dead letters", str(node.dead_letters)),
        ("signing", _signing(node.signing)),
    )
    banner = [Text(f"{node.faults_armed} faults are armed", "bold red")] * bool(node.faults_armed)
    return Group(*banner, page, *(Text(f"! {line}", "yellow") for line in node.warnings))


def signing_view(signing: SigningView) -> RenderableType:
    """Return whether the node signs."""
    return Text(f"signing: {_signing(signing)}")


def _signing(signing: SigningView) -> str:
    if signing.state != "free":
        return f"stopped since {signing.since} ({signing.state})"
    if signing.restored_at is None:
        return "free"
    return f"free, but for what was opened by {signing.restored_at}"


def diagnosis_view(diagnosis: Diagnosis) -> RenderableType:
    """Return the findings, each with how to mend it."""
    made = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in diagnosis.findings:
        mark = Text(MARKS[finding.level], STYLES[finding.level])
        told = Text(finding.message)
        if finding.remedy:
            told.append(f"\n→ {finding.remedy}", "bold")
        made.add_row(mark, Text(finding.area, "bold"), told)
    return made


def config_view(config: ConfigView) -> RenderableType:
    """Return every setting; what somebody chose stands out."""
    made = table("setting", "value", "from", "range")
    for row in config.settings:
        style = "dim" if row.source == "built-in" else "bold"
        value = ", ".join(row.value) if isinstance(row.value, tuple) else str(row.value)
        made.add_row(Text(row.path, style), Text(value, style), Text(row.source, style), row.range)
    return made
