"""Executors on a terminal."""

from rich.console import RenderableType
from rich.text import Text

from wattswarm.cli.views.style import clock, cut, pairs, table, word
from wattswarm.surface.executor import ExecutorCheck, ExecutorList, ExecutorView

HEALTH = {True: "ok", False: "failed", None: "unknown"}


def executors_view(executors: ExecutorList) -> RenderableType:
    """Return all executors, one a line."""
    if not executors.items:
        return Text("no executor yet; add one with `wattswarm executors add NAME URL`")
    made = table(
        "name", "address", "profile", "task types", "model", "health", "breaker", "busy", "seen",
        "last error",
    )  # fmt: skip
    for item in executors.items:
        made.add_row(
            Text(item.name, "bold"),
            item.base_url,
            item.profile,
            ", ".join(item.task_types) or "–",
            f"{item.provider}/{item.model}",
            word(HEALTH[item.is_healthy]),
            word(item.breaker),
            f"{item.in_flight}/{item.concurrency}",
            clock(item.last_seen_at) if item.last_seen_at else "never",
            cut(item.last_error, 40),
        )
    return made


def executor_view(item: ExecutorView) -> RenderableType:
    """Return one executor."""
    return pairs(
        ("executor", item.name),
        ("address", item.base_url),
        ("profile", item.profile),
        ("task types", ", ".join(item.task_types) or "whatever its capabilities say"),
        ("concurrency", str(item.concurrency)),
        ("deadlines", f"execute {item.execute_ms} ms, verify {item.verify_ms} ms"),
        ("token", "yes" if item.has_token else "none"),
    )


def check_view(check: ExecutorCheck) -> RenderableType:
    """Return what asking an executor found."""
    if check.ok:
        return Text.assemble(
            word("ok"),
            f"  {check.name} answers in {check.latency_ms} ms: {check.provider}/{check.model}, "
            f"profiles {', '.join(check.profiles)}, task types {', '.join(check.task_types)}",
        )
    return Text.assemble(word("failed"), f"  {check.name}: {'; '.join(check.problems)}")
