"""Settings are saved into the operator's own file, and nothing else in it changes."""

from pathlib import Path

import pytest

from wattswarm.config.errors import ConfigError
from wattswarm.config.load import load, read_file
from wattswarm.config.saving import save

OWN = """\
# my node
[api]
listen = "127.0.0.1:9000" # not the usual port

[actors.sel_writer]
batch = 512
"""


def test_a_saved_setting_is_read_at_the_next_start_and_comments_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(OWN)
    file.chmod(0o640)
    save(file, {"actors.sel_writer.batch": 64, "actors.executor_dispatcher.concurrency": 4})
    said = file.read_text()
    assert said.startswith(OWN.replace("512", "64"))
    values = load(file).values
    assert values["actors.sel_writer.batch"] == 64
    assert values["actors.executor_dispatcher.concurrency"] == 4
    assert values["api.listen"] == "127.0.0.1:9000"
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "content",
    [
        "",
        "actors.sel_writer.batch = 3\n",
        "actors = { sel_writer = { batch = 3 } }\n",
        "actors = { verifier = { batch = 3 } }\n",
        'actors.verifier.batch = 3\nlog.level = "warning"\n',
        '[actors]\nverifier.batch = 3\n[log]\nlevel = "warning"\n',
        '[actors.verifier]\nbatch = 3\n[log]\nlevel = "warning"\n[actors.postgres]\nbatch = 1\n',
        '[log]\r\nlevel = "warning"\r\n# the end',
    ],
)
def test_every_way_of_writing_a_table_is_kept_to(tmp_path: Path, content: str) -> None:
    file = tmp_path / "config.toml"
    if content:
        file.write_bytes(content.encode())
    before = read_file(file).values
    wanted = {"actors.sel_writer.batch": 64, "actors.sel_writer.inbox": 128}
    save(file, wanted)
    load(file)
    assert read_file(file).values == {**before, **wanted}
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    own, link = tmp_path / "etc" / "node.toml", tmp_path / "config.toml"
    own.write_text(OWN)
    link.symlink_to(own)
    save(link, {"actors.sel_writer.batch": 64})
    assert link.is_symlink()
    assert own.read_text() == OWN.replace("512", "64")


@pytest.mark.parametrize(
    ("content", "batch"), [(OWN, 0), ("[actors", 64), ("actors = 3\n", 64)], ids=str
)
def test_what_cannot_be_saved_leaves_the_file_as_it_is(
    tmp_path: Path, content: str, batch: int
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(content)
    with pytest.raises(ConfigError):
        save(file, {"actors.sel_writer.batch": batch})
    assert file.read_text() == content
    assert list(tmp_path.iterdir()) == [file]
