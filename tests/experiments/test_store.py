"""The folder of rows: nothing is lost, nothing is doubled, whatever is cut off in mid-line."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slth.experiments.measure import Outcome, row
from slth.experiments.points import key
from slth.experiments.store import Store


def line(number, status=Outcome.DONE, value=0.5):
    found = {"upper": value} if status is Outcome.DONE else None
    return row({"seed": number}, status, found, None if found else "ValueError: no", 0.1)


def name(number):
    return key({"seed": number})


def parts(folder):
    return sorted(folder.glob("*.jsonl"))


def test_what_was_written_is_read_by_the_next_and_by_those_that_are_open(tmp_path):
    other = Store(tmp_path)
    with Store(tmp_path) as store:
        store.add([line(1), line(2)])
        assert store.done(name(1))
    other.refresh()
    assert other.rows == Store(tmp_path).rows == store.rows
    assert other.rows[name(2)]["result"] == {"upper": 0.5}


def test_every_writer_has_a_part_of_its_own(tmp_path):
    with Store(tmp_path) as one, Store(tmp_path) as two:
        one.add([line(1)])
        two.add([line(2)])
        one.add([line(3)])
    assert len(parts(tmp_path)) == 2
    assert len(Store(tmp_path).rows) == 3


@settings(max_examples=40)
@given(cut=st.integers(0, 10_000))
def test_a_part_cut_off_anywhere_keeps_every_whole_line(tmp_path_factory, cut):
    folder = tmp_path_factory.mktemp("store")
    with Store(folder) as store:
        for number in range(3):
            store.add([line(number)])
    (part,) = parts(folder)
    text = part.read_bytes()
    cut %= len(text) + 1
    part.write_bytes(text[:cut])
    left = Store(folder)
    assert len(left.rows) == text[:cut].count(b"\n")
    assert left.torn == (cut > 0 and text[cut - 1 : cut] != b"\n")
    assert left.damaged == 0
    with left:  # the point whose line was torn can be written again
        left.add([line(number) for number in range(3)])
    assert len(Store(folder).rows) == 3


def test_a_torn_line_counts_once_its_end_is_there(tmp_path):
    with Store(tmp_path) as store:
        store.add([line(1)])
    (part,) = parts(tmp_path)
    text = part.read_bytes()
    part.write_bytes(text[:40])
    reader = Store(tmp_path)
    assert (reader.rows, reader.torn) == ({}, 1)
    with part.open("ab") as file:
        file.write(text[40:])
    reader.refresh()
    assert (list(reader.rows), reader.torn) == ([name(1)], 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace(b'"upper": 0.5', b'"upper": 0.4'),
        lambda text: text.replace(b'"done"', b'"lost"'),
        lambda text: text[: len(text) // 2] + b"\n",
        lambda text: b"\x00\xff\n",
        lambda text: b"[1, 2]\n",
        lambda text: b'{"type": "start", "keys": 3}\n',
        lambda text: b'{"type": "unknown", "keys": []}\n',
    ],
)
def test_a_damaged_line_is_counted_and_no_row(tmp_path, damage):
    with Store(tmp_path) as store:
        store.add([line(1)])
    (part,) = parts(tmp_path)
    good = part.read_bytes()
    part.write_bytes(damage(good) + good.replace(b'"seed": 1', b'"seed": 1'))
    found = Store(tmp_path)
    assert (found.damaged, list(found.rows)) == (1, [name(1)])
    assert found.rows[name(1)]["result"] == {"upper": 0.5}


@pytest.mark.parametrize("backwards", [False, True])
def test_done_stands_before_failed_and_lost_in_whatever_order(tmp_path, backwards):
    lines = [line(1, Outcome.LOST), line(1), line(1, Outcome.FAILED)]
    for one in reversed(lines) if backwards else lines:
        with Store(tmp_path) as store:
            store.add([one])
    assert Store(tmp_path).rows[name(1)]["status"] == "done"
    assert len(Store(tmp_path).rows) == 1


def test_equal_points_with_different_results_are_a_conflict_and_one_row(tmp_path):
    hashes = set()
    for values in ([0.5, 0.6], [0.6, 0.5]):
        folder = tmp_path / str(values[0])
        for value in values:
            with Store(folder) as store:
                store.add([line(1, value=value)])
        found = Store(folder)
        assert found.conflicts == {name(1)}
        hashes.add(found.rows[name(1)]["hash"])
    assert len(hashes) == 1


def test_starts_are_open_until_a_row_or_a_release(tmp_path):
    with Store(tmp_path) as store:
        store.start([name(1), name(2), name(3)])
        assert [store.open(name(number)) for number in range(1, 4)] == [1, 1, 1]
        store.add([line(1)])
        store.release([name(2)])
        assert [Store(tmp_path).open(name(number)) for number in range(1, 4)] == [0, 0, 1]
        assert store.unfinished() == [name(3)]


def test_a_plan_is_written_once(tmp_path):
    for _ in range(2):
        with Store(tmp_path) as store:
            store.plan({"axes": {"seed": [1]}, "search": None})
    assert Store(tmp_path).plans == [{"axes": {"seed": [1]}, "search": None}]
    assert len(parts(tmp_path)) == 1


def test_after_a_full_disk_the_part_is_left_and_another_begun(tmp_path, monkeypatch):
    store = Store(tmp_path)
    store.add([line(1)])
    write = os.write

    def full(file, text):
        write(file, text[:30])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        store.add([line(2)])
    monkeypatch.undo()
    store.add([line(2), line(3)])
    store.close()
    found = Store(tmp_path)
    assert (len(found.rows), found.torn, found.damaged) == (3, 1, 0)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "rows.csv").write_text("a\n")
    with pytest.raises(FileExistsError, match=r"rows.csv is a file: give another name"):
        Store(tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text() == "a\n"


def test_a_folder_that_is_not_there_is_not_made_for_readers(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder of results"):
        Store(tmp_path / "none", create=False)
    assert not (tmp_path / "none").exists()


WRITER = """
import sys
from slth.experiments.measure import Outcome, row
from slth.experiments.store import Store
with Store(sys.argv[1]) as store:
    for number in range(int(sys.argv[2]), int(sys.argv[3])):
        store.add([row({"seed": number}, Outcome.DONE, {"upper": 0.5}, None, 0.1)])
        print(number, flush=True)
"""


@pytest.mark.slow
def test_writers_at_once_and_one_killed_lose_nothing_that_was_said_to_be_written(tmp_path):
    ranges = [(0, 60), (40, 100), (100, 10**6)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, tmp_path, *map(str, ends)], stdout=subprocess.PIPE)
        for ends in ranges
    ]
    said = [writers[2].stdout.readline() for _ in range(20)]
    writers[2].kill()
    said += writers[2].stdout.readlines()
    for writer in writers:
        writer.communicate()
    found = Store(tmp_path)
    wanted = {name(number) for number in [*range(100), *map(int, said)]}
    assert wanted <= found.rows.keys()
    assert len(found.rows) <= len(wanted) + 1
    assert found.damaged == 0
    assert all(json.loads(text) for part in parts(tmp_path) for text in part.read_text().split("\n")[:-1])


def test_a_line_nested_too_deeply_and_a_folder_named_like_a_part_are_no_rows(tmp_path):
    (tmp_path / "part-x.jsonl").mkdir()
    (tmp_path / "part-y.jsonl").write_bytes(b"[" * 200_000 + b"\n")
    store = Store(tmp_path)
    assert store.rows == {}
    assert store.damaged == 1
