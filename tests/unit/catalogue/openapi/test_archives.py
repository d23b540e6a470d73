"""Archives are unpacked within bounds, and never onto a disk."""

import bz2
import gzip
import io
import struct
import tarfile
import time
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bascule.catalogue.openapi import archives
from bascule.catalogue.openapi.archives import MAX_UNPACKED_BYTES, is_archive, pack, unpack
from bascule.catalogue.openapi.findings import DocumentRejected

FILES = {"openapi.yaml": b"openapi: 3.1.0", "models/pet.json": b"{}"}


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(*entries: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"x" * entry.size))
    return packed.getvalue()


def test_what_was_packed_is_unpacked() -> None:
    assert unpack(pack(FILES)) == FILES
    assert unpack(zipped(FILES)) == FILES
    assert unpack(gzip.decompress(pack(FILES))) == FILES
    assert pack(FILES) == pack(dict(reversed(FILES.items())))


def test_a_compressed_document_is_no_archive() -> None:
    assert unpack(gzip.compress(b"openapi: ") + gzip.compress(b"3.1.0")) == b"openapi: 3.1.0"
    assert unpack(b"openapi: 3.1.0") == b"openapi: 3.1.0"
    assert not is_archive(b"openapi: 3.1.0")


def test_other_files_and_links_are_not_kept() -> None:
    link = tarfile.TarInfo("link.yaml")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    hard = tarfile.TarInfo("hard.yaml")
    hard.type, hard.linkname = tarfile.LNKTYPE, "../secret.yaml"
    picture, kept = tarfile.TarInfo("logo.png"), tarfile.TarInfo("./api.yaml")

    assert unpack(tarred(link, hard, picture, kept)) == {"api.yaml": b""}


@pytest.mark.parametrize(
    "name", ["../evil.yaml", "/etc/evil.yaml", "a/../../evil.yaml", "C:x.json"]
)
def test_a_path_out_of_the_archive_is_refused(name: str) -> None:
    for content in (zipped({name: b""}), tarred(tarfile.TarInfo(name))):
        with pytest.raises(DocumentRejected, match="leads out of it"):
            unpack(content)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(DocumentRejected, match="twice"):
        unpack(tarred(tarfile.TarInfo("a.yaml"), tarfile.TarInfo("./a.yaml")))


def test_a_bomb_takes_no_more_memory_than_allowed() -> None:
    layer = gzip.compress(b"\0" * MAX_UNPACKED_BYTES * 4, compresslevel=1)
    bombs = [layer, zipped({"a.yaml": b"a" * (MAX_UNPACKED_BYTES + 1)})]
    tracemalloc.start()
    try:
        for bomb in bombs:
            with pytest.raises(DocumentRejected, match="Unpacked it has more than"):
                unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_UNPACKED_BYTES
    finally:
        tracemalloc.stop()


def test_many_small_files_are_refused_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 3)
    several = {f"{number}.yaml": b"" for number in range(5)}

    for content in (zipped(several), pack(several)):
        with pytest.raises(DocumentRejected, match="more than 3 entries"):
            unpack(content)


def test_a_zip_that_understates_its_entries_is_refused() -> None:
    content = bytearray(zipped(FILES))
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<L", content, at + 12, 2**31)

    with pytest.raises(DocumentRejected, match="entries"):
        unpack(bytes(content))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pack(FILES)[:-20], "ends too early"),
        (zipped(FILES)[:-30], "no directory"),
        (b"\x1f\x8b" + b"nonsense", "cannot be unpacked"),
        (bz2.compress(b"x"), "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
        (tarred(tarfile.TarInfo("a.yaml"))[:400] + b"\xff" * 200, "cannot be unpacked"),
    ],
)
def test_a_damaged_archive_is_named(content: bytes, reason: str) -> None:
    with pytest.raises(DocumentRejected, match=reason):
        unpack(content)


def test_a_tar_header_of_digits_stalls_nobody() -> None:
    """CVE-2024-6232: 200 bytes that `tarfile` reads for seconds."""
    header = tarfile.TarInfo("header")
    header.type, header.size = tarfile.XHDTYPE, 70_000
    archive = header.tobuf(tarfile.USTAR_FORMAT) + b"1" * 70_000 + b"\0" * 2048
    began = time.process_time()
    with pytest.raises(DocumentRejected, match="extension header of it has 70,000 bytes"):
        unpack(gzip.compress(archive))
    assert time.process_time() - began < 1


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(zipped({"a.yaml": b"a: 1"}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(magic) + offset] |= 1

    with pytest.raises(DocumentRejected, match="cannot be unpacked"):
        unpack(bytes(content))


@given(st.integers(0, 400), st.binary(min_size=1, max_size=20))
def test_a_broken_archive_is_unpacked_or_rejected(at: int, noise: bytes) -> None:
    for content in (zipped(FILES), gzip.decompress(pack(FILES))):
        broken = content[:at] + noise + content[at + len(noise) :]
        try:
            unpack(broken)
        except DocumentRejected:
            continue
