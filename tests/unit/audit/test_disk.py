"""Writing all of it, or saying why not."""

import os
from pathlib import Path

import pytest

from bascule.audit.disk import Disk, make_directory, sync_directory


def test_write_all_goes_on_after_a_short_write(tmp_path: Path) -> None:
    disk = Disk(write=lambda fd, content, offset: os.pwrite(fd, content[:3], offset))
    with (tmp_path / "file").open("w+b") as file:
        disk.write_all(file.fileno(), b"0123456789", 2)

        assert os.pread(file.fileno(), 100, 0) == b"\0\x000123456789"


def test_write_that_makes_no_progress_is_an_error_and_not_a_loop(tmp_path: Path) -> None:
    disk = Disk(write=lambda fd, content, offset: 0)
    with (tmp_path / "file").open("w+b") as file, pytest.raises(OSError, match="no more bytes"):
        disk.write_all(file.fileno(), b"0123456789", 0)


def test_sync_takes_any_open_file(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        Disk().sync(file.fileno())


def test_sync_of_a_closed_file_is_an_error(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w+b") as file:
        descriptor = os.dup(file.fileno())
    os.close(descriptor)

    with pytest.raises(OSError, match="Bad file descriptor"):
        Disk().sync(descriptor)


def test_made_directories_belong_to_this_user_alone(tmp_path: Path) -> None:
    make_directory(tmp_path / "a" / "b")

    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_existing_directory_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)

    make_directory(tmp_path)

    assert tmp_path.stat().st_mode & 0o777 == 0o750


def test_syncing_something_that_is_no_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError):
        sync_directory(tmp_path / "file")
