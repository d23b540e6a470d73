"""Messages as ProtoJSON writes them."""

from google.protobuf import duration_pb2, empty_pb2, struct_pb2, timestamp_pb2

from bascule.upstreams.grpc.schemas import MessageSchemas


def schema_of(message: object) -> dict[str, object]:
    return MessageSchemas(is_input=True).schema_of(message.DESCRIPTOR)  # type: ignore[attr-defined]


def test_an_empty_message_takes_no_field() -> None:
    assert schema_of(empty_pb2.Empty) == {"type": "object", "additionalProperties": False}


def test_a_struct_takes_any_object() -> None:
    assert schema_of(struct_pb2.Struct) == {"type": "object"}


def test_what_is_no_object_as_json_is_no_set_of_arguments() -> None:
    for message in (timestamp_pb2.Timestamp, duration_pb2.Duration, struct_pb2.Value):
        assert schema_of(message) == {"type": "object"}
