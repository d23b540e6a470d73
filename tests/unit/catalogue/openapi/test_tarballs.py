"""Tar archives of every usual writer are read, and no header costs more than its length."""

import io
import shutil
import subprocess
import tarfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi.tarballs import list_entries

LONG = "/".join(["a-folder-with-a-long-name"] * 12) + "/ünïcode.yaml"


def tarred(*entries: tarfile.TarInfo, form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return packed.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.size = kind, size
    return made


def header(kind: bytes, content: bytes) -> bytes:
    """An entry of a type that `tarfile` does not write by itself."""
    made = entry("odd", kind, len(content))
    padding = b"\0" * (-len(content) % 512)
    return made.tobuf(tarfile.USTAR_FORMAT) + content + padding


def read(archive: bytes) -> dict[str, bytes]:
    return {one.name: bytes(one.content) for one in list_entries(archive) if one.is_file}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_of_every_length_are_read(form: int) -> None:
    names = ["short.yaml", "d/" * 60 + "split.yaml", LONG]
    archive = tarred(*(entry(name, size=at * 600) for at, name in enumerate(names)), form=form)

    assert read(archive) == {name: b"x" * at * 600 for at, name in enumerate(names)}


def test_a_name_in_two_parts_is_put_together() -> None:
    name = "folder/" * 20 + "end.yaml"

    assert list(read(tarred(entry(name), form=tarfile.USTAR_FORMAT))) == [name]


def test_what_is_no_file_is_told_apart() -> None:
    folder, link = entry("a/", tarfile.DIRTYPE), entry("b", tarfile.SYMTYPE)

    found = list(list_entries(tarred(folder, link, entry("c"))))

    assert [(one.name.rstrip("/"), one.is_file) for one in found] == [
        ("a", False), ("b", False), ("c", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("program", "form"),
    [(one, form) for one in ("tar", "bsdtar") for form in ("ustar", "gnutar", "pax")],
)
def test_archives_of_other_programs_are_read(program: str, form: str, tmp_path: Path) -> None:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"no {program} here")
    if program == "tar" and form == "gnutar":
        form = "gnu"
    name = "short.yaml" if form == "ustar" else LONG
    file = tmp_path / "from" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(b"openapi: 3.1.0" * 100)
    arguments = [found, f"--format={form}", "-cf", str(tmp_path / "a.tar"), "-C", "from", "."]
    subprocess.run(arguments, check=True, timeout=30, cwd=tmp_path)

    assert read((tmp_path / "a.tar").read_bytes()) == {f"./{name}": b"openapi: 3.1.0" * 100}


@pytest.mark.parametrize("digits", [60_000, 70_000])
def test_a_header_of_digits_is_refused_at_once(digits: int) -> None:
    """CVE-2024-6232: `tarfile` takes seconds for it."""
    began = time.process_time()
    with pytest.raises(ValueError, match="header"):
        read(header(b"x", b"1" * digits))
    assert time.process_time() - began < 1


def test_a_large_size_in_binary_is_read() -> None:
    block = bytearray(tarred(entry("a.yaml"), form=tarfile.GNU_FORMAT)[:512])
    block[124:136] = b"\x80" + (8**11 + 5).to_bytes(11, "big")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)

    with pytest.raises(ValueError, match="ends too early"):
        read(bytes(block) + b"\0" * 1024)


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (header(b"S", b""), "of type b'S'"),
        (header(b"M", b""), "of type b'M'"),
        (header(b"x", b"22 GNU.sparse.major=1\n"), "sparse"),
        (header(b"x", b"99 path=a\n"), "malformed"),
        (header(b"x", b"0 path=a\n"), "malformed"),
        (header(b"x", b"9 path a\n"), "malformed"),
        (header(b"x", b"12 size=-10\n"), "malformed"),
        (header(b"L", b"a" * 70_000), "extension header of it has 70,000 bytes"),
        (header(b"g", b"9 path=a\n") * 9, "too many"),
        (tarred(entry("a", size=600))[:700], "ends too early"),
        (tarred(entry("a"))[:300], "ends too early"),
        (b"y" + tarred(entry("a"))[1:], "checksum"),
    ],
)
def test_what_is_odd_or_damaged_is_refused(archive: bytes, reason: str) -> None:
    end = b"" if "early" in reason else tarred(entry("end"))
    with pytest.raises(ValueError, match=reason):
        read(archive + end)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=20))
def test_a_broken_archive_is_read_or_refused(at: int, noise: bytes) -> None:
    archive = tarred(entry(LONG, size=600))
    with suppress(ValueError):
        found = read(archive[:at] + noise + archive[at + len(noise) :])
        assert sum(map(len, found.values())) <= len(archive) + len(noise)


@given(st.dictionaries(st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1),
                       st.binary(max_size=2000), max_size=5))  # fmt: skip
def test_what_python_packs_is_read(files: dict[str, bytes]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name, content in files.items():
            archive.addfile(entry(name, size=len(content)), io.BytesIO(content))

    assert read(packed.getvalue()) == files
