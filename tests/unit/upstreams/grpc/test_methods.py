"""What a descriptor set says a service offers."""

from contextlib import suppress

import jsonschema_rs
import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st

from bascule.gateway.errors import InvalidValue
from bascule.upstreams.grpc.methods import open_pool, read_surface
from fakes.grpc_service import SERVICE, descriptors


def test_unary_methods_are_offered_and_streams_are_left_out() -> None:
    surface = read_surface(descriptors())
    assert [one.name for one in surface.methods] == ["Get", "Put", "Drop"]
    assert surface.left_out == (f"{SERVICE}/Watch",)
    get, put, drop = surface.methods
    assert (get.is_read, get.is_idempotent) == (True, True)
    assert (put.is_read, put.is_idempotent) == (False, True)
    assert (drop.is_idempotent, drop.is_deprecated) == (False, True)


def test_services_may_be_chosen() -> None:
    assert read_surface(descriptors(), [SERVICE]).methods
    with pytest.raises(InvalidValue, match=r"no service shop.v1.Nothing. There are shop.v1.Orders"):
        read_surface(descriptors(), ["shop.v1.Nothing"])


def test_schemas_compile_and_take_what_the_service_takes() -> None:
    put = read_surface(descriptors()).methods[1]
    takes = jsonschema_rs.validator_for(put.input_schema)
    for good in (
        {},
        {"id": "12", "parts": [{"parts": [{"id": 3}]}], "counts": {"a": 1}, "state": "OPEN"},
        {"madeAt": "2026-07-28T10:00:00Z", "note": None, "price": "NaN", "blob": "AA=="},
    ):
        assert takes.is_valid(good), good
    for bad in (
        {"unknown": 1},
        {"state": "LOST"},
        {"amount": 2**31},
        {"id": "x"},
        {"parts": [{"unknown": 1}]},
        {"counts": {"a": -1}},
    ):
        assert not takes.is_valid(bad), bad
    assert "Give at most one of mail, phone." in put.input_schema["description"]
    assert "additionalProperties" not in put.output_schema


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "holds no file"), (b"\xff\xff\xff", "cannot be read")]
)
def test_what_is_no_descriptor_set_says_how_to_make_one(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidValue, match=f"{reason}.*protoc --include_imports"):
        read_surface(content)


def test_files_that_need_what_is_not_there_or_each_other_are_refused() -> None:
    lone = descriptor_pb2.FileDescriptorSet()
    lone.file.add(name="a.proto", dependency=["b.proto"])
    with pytest.raises(InvalidValue, match=r"a.proto"):
        open_pool(lone.SerializeToString())
    lone.file.add(name="b.proto", dependency=["a.proto"])
    with pytest.raises(InvalidValue, match="circle"):
        open_pool(lone.SerializeToString())


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(InvalidValue):
        read_surface(content)
