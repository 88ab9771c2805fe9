"""The layers of the configuration, their order, and what is refused."""

import contextlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wattswarm.config.document import default_toml, rows
from wattswarm.config.errors import ConfigError
from wattswarm.config.load import FILE_BYTES_MAX, SETTINGS, load
from wattswarm.config.settings import NodeConfig

ROOT = Path(__file__).parents[3]


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


def refused(**sources: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(**sources)  # type: ignore[arg-type]
    return caught.value


def test_nothing_given_means_the_built_in_values() -> None:
    assert load().config == NodeConfig()


def test_the_default_file_is_made_from_the_code() -> None:
    assert (ROOT / "config" / "default.toml").read_text() == default_toml()


def test_the_default_file_is_the_built_in_configuration(tmp_path: Path) -> None:
    assert load(written(tmp_path, default_toml())).config == NodeConfig()


def test_later_sources_win_and_each_value_knows_its_own(tmp_path: Path) -> None:
    file = written(
        tmp_path, "[actors.sel_writer]\nbatch = 10\ninbox = 100\n[api]\npage_items = 7\n"
    )
    environment = {"WATTSWARM_ACTORS__SEL_WRITER__BATCH": "20", "WATTSWARM_API__PAGE_ITEMS": "8"}
    loaded = load(file, environment, {"api.page_items": 9})

    assert loaded.config.actors.sel_writer.inbox == 100
    assert loaded.config.actors.sel_writer.batch == 20
    assert loaded.config.api.page_items == 9
    assert loaded.sources["actors.sel_writer.inbox"] == f"file {file}"
    assert (
        loaded.sources["actors.sel_writer.batch"]
        == "environment WATTSWARM_ACTORS__SEL_WRITER__BATCH"
    )
    assert loaded.sources["api.page_items"] == "flag api.page_items"
    assert loaded.sources["api.listen"] == "built-in"
    assert loaded.is_set("api.page_items")
    assert not loaded.is_set("api.listen")


def test_a_profile_stands_below_the_file(tmp_path: Path) -> None:
    file = written(
        tmp_path, '[node]\nprofile = "compact"\n[actors.sel_writer]\nplacement = "log"\n'
    )
    config = load(file).config
    assert config.actors.sel_writer.placement == "log"
    assert config.actors.executor_dispatcher.placement == "root"


def test_the_compact_profile_places_every_actor_in_the_root() -> None:
    actors = load(flags={"node.profile": "compact"}).config.actors
    assert {getattr(actors, name).placement for name in type(actors).__annotations__} == {"root"}


def test_names_of_the_environment_that_everybody_knows() -> None:
    loaded = load(
        environment={
            "WATTSWARM_PG_URL": "postgresql://me:secret@db/x",
            "WATTSWARM_PG_SCHEMA": "one",
            "WATTSWARM_NODE_MODE": "lan",
            "WATTSWARM_P2P_ENABLED": "false",
            "WATTSWARM_STATE_DIR": "elsewhere",
            "WATTSWARM_VENV": "unrelated",
        }
    )
    assert loaded.config.store.pg_schema == "one"
    assert loaded.config.node.mode == "local"
    assert loaded.sources["node.mode"] == "environment WATTSWARM_P2P_ENABLED"


def test_a_secret_is_masked_when_it_is_shown() -> None:
    shown = rows(load(environment={"WATTSWARM_PG_URL": "postgresql://me:secret@db/x"}))
    url = next(row.value for row in shown if row.path == "store.pg_url")
    assert url == "postgresql://me:***@db/x"


@pytest.mark.parametrize("mode", ["lan", "network"])
def test_a_mode_that_is_not_there_is_refused_honestly(mode: str) -> None:
    problem = refused(flags={"node.mode": mode}).problems[0]
    assert problem.code == "mode_unavailable"
    assert "local only" in problem.message


def test_an_unknown_key_gets_the_nearest_known_one(tmp_path: Path) -> None:
    file = written(tmp_path, "[actors.sel_writer]\nbacth = 4\n")
    problem = refused(file=file).problems[0]
    assert problem.path == "actors.sel_writer.bacth"
    assert "actors.sel_writer.batch" in problem.remedy
    assert str(file) in problem.message


def test_an_unknown_variable_is_an_error_too() -> None:
    problem = refused(environment={"WATTSWARM_API__LISTN": "x"}).problems[0]
    assert problem.path == "api.listn"
    assert "api.listen" in problem.remedy


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    file = written(
        tmp_path, '[api]\npage_items = 0\nlisten = 5\n[node]\nmode = "wan"\n[foo]\nx = 1\n'
    )
    assert {problem.path for problem in refused(file=file).problems} == {
        "api.page_items",
        "api.listen",
        "node.mode",
        "foo.x",
    }


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("api.page_items", True),
        ("api.page_items", 1.5),
        ("api.page_items", "many"),
        ("api.page_items", 2**70),
        ("chaos.enabled", 1),
        ("chaos.enabled", "perhaps"),
        ("api.listen", "localhost"),
        ("api.listen", "localhost:99999"),
        ("api.listen", "\x00:1"),
        ("api.allowed_hosts", [1]),
        ("log.level", "loud"),
        ("actors.sel_writer.instances", 2),
        ("actors.http_api.placement", "log"),
        ("api", 3),
        ("api.listen", {"a": 1}),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(path: str, value: object) -> None:
    problems = refused(flags={path: value}).problems
    assert [problem.path for problem in problems] == [path]
    assert all(problem.remedy for problem in problems)


def test_faults_are_not_armed_beyond_loopback() -> None:
    error = refused(flags={"chaos.enabled": True, "api.listen": "0.0.0.0:7788"})
    assert error.code == "chaos_exposed"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"a = ",
        b"a = 1\na = 2",
        b"[" * 2_000,
        b"a=" + b"[" * 20_000,
        b".".join([b"a"] * 30_000) + b" = 1",
        b"x = 0x" + b"f" * 10_000,
        b"x = " + b"9" * 10_000,
        b"x = 9999-99-99",
        b"#" * (FILE_BYTES_MAX + 1),
        b"\n".join(b"k%d = 1" % n for n in range(20_000)),
    ],
)
def test_a_hostile_file_is_refused_by_a_typed_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)
    assert refused(file=file).problems


def test_a_directory_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    assert refused(file=tmp_path).code == "config_unreadable"


toml_values = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers() | st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@given(st.dictionaries(st.sampled_from(sorted(SETTINGS)) | st.text(max_size=30), toml_values))
def test_any_values_load_or_are_refused_by_a_typed_error(values: dict[str, object]) -> None:
    with contextlib.suppress(ConfigError):
        assert load(flags=values).config


@given(st.binary(max_size=200))
def test_any_bytes_load_or_are_refused_by_a_typed_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_bytes(content)
    with contextlib.suppress(ConfigError):
        assert load(file).config


def test_every_setting_is_read_by_somebody() -> None:
    package = ROOT / "wattswarm"
    code = "".join(
        path.read_text()
        for path in package.rglob("*.py")
        if path.parent != package / "config" and path.parent != package / "surface"
    )
    read = set(re.findall(r"\.([a-z_0-9]+)\b", code)) | {"p2p_enabled"}  # `load` itself reads it
    assert {path.rpartition(".")[2] for path in SETTINGS} <= read
