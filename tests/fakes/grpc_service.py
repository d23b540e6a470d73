"""A real gRPC service with reflection, made of descriptors: no generated code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    timestamp_pb2,
    wrappers_pb2,
)
from grpc_reflection.v1alpha import reflection

SERVICE = "shop.v1.Orders"


def descriptors() -> bytes:
    """The service as a `FileDescriptorSet`, what it needs included."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in (timestamp_pb2, wrappers_pb2):
        files.file.append(
            descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
        )
    files.file.append(_orders())
    return files.SerializeToString()


def _orders() -> descriptor_pb2.FileDescriptorProto:
    text = {
        "name": "orders.proto",
        "package": "shop.v1",
        "syntax": "proto3",
        "dependency": ["google/protobuf/timestamp.proto", "google/protobuf/wrappers.proto"],
        "enumType": [
            {
                "name": "State",
                "value": [{"name": "OPEN", "number": 0}, {"name": "DONE", "number": 1}],
            }
        ],
        "messageType": [
            {
                "name": "Order",
                "field": [
                    _field("id", 1, "TYPE_INT64"),
                    _field("item_name", 2, "TYPE_STRING"),
                    _field("state", 3, "TYPE_ENUM", typeName=".shop.v1.State"),
                    _field("tags", 4, "TYPE_STRING", label="LABEL_REPEATED"),
                    _field("parts", 5, "TYPE_MESSAGE", label="LABEL_REPEATED",
                           typeName=".shop.v1.Order"),
                    _field("made_at", 6, "TYPE_MESSAGE", typeName=".google.protobuf.Timestamp"),
                    _field("note", 7, "TYPE_MESSAGE", typeName=".google.protobuf.StringValue"),
                    _field("blob", 8, "TYPE_BYTES"),
                    _field("price", 9, "TYPE_DOUBLE"),
                    _field("counts", 10, "TYPE_MESSAGE", label="LABEL_REPEATED",
                           typeName=".shop.v1.Order.CountsEntry"),
                    _field("mail", 11, "TYPE_STRING", oneofIndex=0),
                    _field("phone", 12, "TYPE_STRING", oneofIndex=0),
                    _field("urgent", 13, "TYPE_BOOL"),
                    _field("amount", 14, "TYPE_INT32"),
                ],
                "oneofDecl": [{"name": "contact"}],
                "nestedType": [
                    {
                        "name": "CountsEntry",
                        "options": {"mapEntry": True},
                        "field": [
                            _field("key", 1, "TYPE_STRING"),
                            _field("value", 2, "TYPE_UINT32"),
                        ],
                    }
                ],
            },
            {"name": "Wanted", "field": [_field("id", 1, "TYPE_INT64"),
                                         _field("fail_with", 2, "TYPE_STRING")]},
        ],
        "service": [
            {
                "name": "Orders",
                "method": [
                    _method("Get", "Wanted", "Order",
                            options={"idempotencyLevel": "NO_SIDE_EFFECTS"}),
                    _method("Put", "Order", "Order", options={"idempotencyLevel": "IDEMPOTENT"}),
                    _method("Drop", "Wanted", "Order", options={"deprecated": True}),
                    _method("Watch", "Wanted", "Order", serverStreaming=True),
                ],
            }
        ],
    }  # fmt: skip
    return json_format.ParseDict(text, descriptor_pb2.FileDescriptorProto())


def _field(name: str, number: int, kind: str, label: str = "LABEL_OPTIONAL", **more: Any) -> Any:
    first, *rest = name.split("_")
    json_name = first + "".join(word.capitalize() for word in rest)
    return {"name": name, "number": number, "type": kind, "label": label, "jsonName": json_name,
            **more}  # fmt: skip


def _method(name: str, taken: str, given: str, **more: Any) -> Any:
    return {
        "name": name,
        "inputType": f".shop.v1.{taken}",
        "outputType": f".shop.v1.{given}",
        **more,
    }


@dataclass
class Orders:
    """The service: keeps what is put, gives it back, fails as it is asked to."""

    url: str = ""
    put: list[dict[str, Any]] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)

    async def get(self, request: Any, context: Any) -> dict[str, Any]:
        if request.fail_with:
            await context.abort(grpc.StatusCode[request.fail_with], "as you asked")
        return {"id": str(request.id), "itemName": "lamp", "state": "DONE"}

    async def keep(self, request: Any, context: Any) -> dict[str, Any]:
        self.put.append(json_format.MessageToDict(request))
        return json_format.MessageToDict(request)


@asynccontextmanager
async def orders_service(*, reflects: bool = True) -> AsyncIterator[Orders]:
    """Serve on loopback until the block is left."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(descriptors()).file:
        pool.Add(file)
    kinds = {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"shop.v1.{name}"))
        for name in ("Order", "Wanted")
    }
    orders = Orders()

    def serve(work: Any, taken: str) -> Any:
        async def answer(request: Any, context: Any) -> Any:
            orders.metadata.append(dict(context.invocation_metadata()))
            return json_format.ParseDict(await work(request, context), kinds["Order"]())

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=kinds[taken].FromString,
            response_serializer=kinds["Order"].SerializeToString,
        )

    handlers = {
        "Get": serve(orders.get, "Wanted"),
        "Put": serve(orders.keep, "Order"),
        "Drop": serve(orders.get, "Wanted"),
    }
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if reflects:
        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server, pool)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    orders.url = f"grpc://127.0.0.1:{port}"
    try:
        yield orders
    finally:
        await server.stop(None)


async def _serve_until_killed() -> None:
    async with orders_service() as orders:
        print(f"listening on {orders.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve_until_killed())
