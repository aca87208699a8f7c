"""A revision's log: limited in size, read from its end, followed over its replacement."""

from __future__ import annotations

import threading
from pathlib import Path

from dockyard.adapters.local.logfile import RotatingLog, old_log, read_log
from support.patience import wait_for


def write_lines(path: Path, *lines: str, max_bytes: int = 1000) -> None:
    log = RotatingLog(path, max_bytes=max_bytes)
    for line in lines:
        log.write(f"{line}\n".encode())
    log.close()


def test_log_that_is_too_large_is_set_aside_and_one_old_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    write_lines(path, *(f"{number:09}" for number in range(25)), max_bytes=100)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["output.log", "output.log.1"]
    assert path.read_text().split() == [f"{number:09}" for number in range(20, 25)]
    assert len(old_log(path).read_text().split()) == 10


def test_tail_reaches_into_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    write_lines(path, *(f"{number:09}" for number in range(12)), max_bytes=100)
    assert list(read_log(path, tail=4)) == ["000000008", "000000009", "000000010", "000000011"]
    assert list(read_log(path, tail=0)) == []


def test_line_without_end_and_bytes_that_are_no_text_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "output.log"
    path.write_bytes(b"one\r\n\xff\nlast")
    assert list(read_log(path, tail=9)) == ["one", "\ufffd", "last"]


def test_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert list(read_log(tmp_path / "output.log", tail=9)) == []
    assert list(read_log(tmp_path / "output.log", tail=9, is_live=lambda: False)) == []


def test_following_gives_every_line_once_over_a_replacement(tmp_path: Path) -> None:
    path, is_over = tmp_path / "output.log", threading.Event()
    write_lines(path, "0")
    followed: list[str] = []

    def follow() -> None:
        for line in read_log(path, tail=10, is_live=lambda: not is_over.is_set()):
            followed.append(line)  # noqa: PERF402  the test looks at it meanwhile

    reading = threading.Thread(target=follow, daemon=True)
    reading.start()
    wait_for(lambda: followed == ["0"])
    log = RotatingLog(path, max_bytes=3000)
    for number in range(1, 1200):
        log.note(str(number))
        if number % 100 == 0:  # a reader sees every line as long as it comes by once per file
            wait_for(lambda count=number: len(followed) > count)  # type: ignore[misc]
    log.close()
    is_over.set()
    reading.join()
    assert followed == ["0", *(f"[dockyard] {number}" for number in range(1, 1200))]


def test_full_disk_loses_lines_and_nothing_else() -> None:
    log = RotatingLog(Path("/dev/full"), max_bytes=100)
    log.note("nobody will read this")
    log.close()
