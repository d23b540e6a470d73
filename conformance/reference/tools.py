"""The tools of the official suite, and some of our own."""

import asyncio
import json

from conformance.reference.shapes import ROOTS, S, elicit, obj, res_block, sample, text
from conformance.reference.wire import PNG, SEEN, WAV, NeedInput, RpcError

TOOLS: dict[str, tuple[dict, object]] = {}


def tool(name, desc, schema=None, **extra):
    def deco(fn):
        TOOLS[name] = (
            {"name": name, "description": desc, "inputSchema": schema or obj(), **extra},
            fn,
        )
        return fn

    return deco


def static(name, desc, result):
    @tool(name, desc)
    async def _(c, a):
        return result


static("test_simple_text", "Simple text", text("This is a simple text response for testing."))
static(
    "test_image_content",
    "Image",
    {"content": [{"type": "image", "data": PNG, "mimeType": "image/png"}]},
)
static(
    "test_audio_content",
    "Audio",
    {"content": [{"type": "audio", "data": WAV, "mimeType": "audio/wav"}]},
)
static(
    "test_embedded_resource",
    "Embedded resource",
    {
        "content": [
            res_block(
                "test://embedded-resource", "text/plain", "This is an embedded resource content."
            )
        ]
    },
)
static(
    "test_multiple_content_types",
    "Mixed content",
    {
        "content": [
            {"type": "text", "text": "Multiple content types test:"},
            {"type": "image", "data": PNG, "mimeType": "image/png"},
            res_block(
                "test://mixed-content-resource", "application/json", '{"test":"data","value":123}'
            ),
        ]
    },
)
static(
    "test_error_handling",
    "Always fails",
    text("This tool intentionally returns an error for testing", isError=True),
)


@tool(
    "test_structured_content",
    "Structured output with an outputSchema",
    obj({"n": {"type": "integer"}}, ["n"]),
    outputSchema=obj({"double": {"type": "integer"}}, ["double"]),
    title="Structured",
    annotations={"readOnlyHint": True},
    _meta={
        "com.example/tag": "kept",
        "ui": {"resourceUri": "ui://fixture/app.html", "visibility": ["model", "app"]},
    },
)
async def _(c, a):
    r = {"double": 2 * int(a["n"])}
    return text(json.dumps(r), structuredContent=r, _meta={"com.example/result": "kept"})


async def _logging(c, a):
    for i, m in enumerate(
        ("Tool execution started", "Tool processing data", "Tool execution completed")
    ):
        if i:
            await asyncio.sleep(0.05)  # so that notes come one by one
        await c.log("info", m)
    return text("Tool with logging executed successfully")


tool("test_tool_with_logging", "Emits log messages")(_logging)
tool("test_logging_tool", "Emits log messages only when opted in")(_logging)


@tool("test_tool_with_progress", "Reports progress")
async def _(c, a):
    for i, p in enumerate((0, 50, 100)):
        if i:
            await asyncio.sleep(0.05)  # so that notes come one by one
        await c.progress(p, 100, f"Completed step {p} of 100")
    return text(str(c.meta.get("progressToken", 0)))


@tool(
    "test_slow",
    "Sleeps, reporting progress; records cancellation",
    obj({"seconds": {"type": "number"}}),
)
async def _(c, a):
    try:
        n = int(float(a.get("seconds", 1)) * 20)
        for i in range(n):
            await c.progress(i + 1, n, "tick")
            await asyncio.sleep(0.05)  # so that notes come one by one
    except asyncio.CancelledError:
        SEEN.append({"event": "cancelled", "tool": "test_slow", "id": c.rid})
        raise
    return text("done")


@tool("test_sampling", "Asks the client's model", obj({"prompt": S}, ["prompt"]))
async def _(c, a):
    r = (await c.ask({"sample": sample(a["prompt"])}))["sample"]
    return text("LLM response: " + str((r.get("content") or {}).get("text", "No response")))


def _elicited(r, label="Elicitation completed"):
    return text(f"{label}: action={r.get('action')}, content={json.dumps(r.get('content') or {})}")


@tool("test_elicitation", "Asks the user", obj({"message": S}, ["message"]))
async def _(c, a):
    r = await c.ask(
        {
            "ask": elicit(
                a["message"],
                {
                    "username": {**S, "description": "User's response"},
                    "email": {**S, "description": "User's email address"},
                },
            )
        }
    )
    return _elicited(r["ask"], "User response")


@tool("test_streaming_elicitation", "Streams progress, then needs input")
async def _(c, a):
    await c.progress(1, 2, "before asking")
    return _elicited(
        (await c.ask({"ask": elicit("Continue?", {"ok": {"type": "boolean"}})}))["ask"]
    )


@tool("test_elicitation_sep1034_defaults", "Elicitation with defaults")
async def _(c, a):
    r = await c.ask(
        {
            "form": elicit(
                "Please review",
                {
                    "name": {**S, "default": "John Doe"},
                    "age": {"type": "integer", "default": 30},
                    "score": {"type": "number", "default": 95.5},
                    "status": {**S, "enum": ["active", "inactive", "pending"], "default": "active"},
                    "verified": {"type": "boolean", "default": True},
                },
                [],
            )
        }
    )
    return _elicited(r["form"])


@tool("test_elicitation_sep1330_enums", "Elicitation with every enum form")
async def _(c, a):
    o3 = ["option1", "option2", "option3"]
    titled = [
        {"const": f"value{i}", "title": t}
        for i, t in ((1, "First Option"), (2, "Second Option"), (3, "Third Option"))
    ]
    r = await c.ask(
        {
            "form": elicit(
                "Choose",
                {
                    "untitledSingle": {**S, "enum": o3},
                    "titledSingle": {**S, "oneOf": titled},
                    "legacyEnum": {
                        **S,
                        "enum": ["opt1", "opt2", "opt3"],
                        "enumNames": ["Option One", "Option Two", "Option Three"],
                    },
                    "untitledMulti": {"type": "array", "items": {**S, "enum": o3}},
                    "titledMulti": {"type": "array", "items": {"anyOf": titled}},
                },
                [],
            )
        }
    )
    return _elicited(r["form"])


@tool("test_reconnection", "Closes its stream mid-call (SEP-1699)")
async def _(c, a):
    await c.log("info", "Before disconnect")
    if c.session is not None and getattr(c.emit, "stream", None) is not None:
        c.emit.stream.drop()
    await asyncio.sleep(0.2)  # so that the stream can be cut meanwhile
    await c.log("info", "After reconnect")
    return text("Reconnection test completed")


@tool("test_missing_capability", "Needs the client's sampling capability")
async def _(c, a):
    if not c.has("sampling"):
        raise RpcError(
            -32021,
            "sampling capability required",
            {"requiredCapabilities": {"sampling": {}}},
            http=400,
        )
    return text("ok")


@tool(
    "test_x_mcp_header",
    "Mirrors parameters into headers",
    obj(
        {
            "region": {**S, "x-mcp-header": "Region"},
            "limit": {"type": "integer", "x-mcp-header": "Limit"},
            "dry": {"type": "boolean", "x-mcp-header": "Dry"},
            "nested": obj({"tenant": {**S, "x-mcp-header": "Tenant"}}),
        }
    ),
)
async def _(c, a):
    return text("args=" + json.dumps(a, sort_keys=True))


@tool(
    "json_schema_2020_12_tool",
    "Tool with JSON Schema 2020-12 features",
    {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": S, "city": S},
            }
        },
        "properties": {
            "name": S,
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {**S, "enum": ["phone", "email"]},
            "phone": S,
            "email": S,
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": False,
    },
)
async def _(c, a):
    return text("ok")


@tool("test_trigger_tool_change", "Announces a tool-list change")
async def _(c, a):
    await c.srv.changed("tools")
    return text("tool list changed")


@tool("test_trigger_prompt_change", "Announces a prompt-list change")
async def _(c, a):
    await c.srv.changed("prompts")
    return text("prompt list changed")


@tool("test_trigger_resource_update", "Announces an update of a resource", obj({"uri": S}))
async def _(c, a):
    await c.srv.changed("resource", a.get("uri", "test://watched-resource"))
    return text("resource updated")


NAME = {"name": S}


@tool("test_input_required_result_elicitation", "MRTR: one elicitation")
async def _(c, a):
    r = (await c.ask({"user_name": elicit("What is your name?", NAME)}))["user_name"]
    return text(f"Hello, {(r.get('content') or {}).get('name', 'stranger')}!")


@tool("test_input_required_result_sampling", "MRTR: one sampling request")
async def _(c, a):
    r = (await c.ask({"capital_question": sample("What is the capital of France?")}))[
        "capital_question"
    ]
    return text("Model said: " + str((r.get("content") or {}).get("text")))


@tool("test_input_required_result_list_roots", "MRTR: one roots request")
async def _(c, a):
    r = (await c.ask({"client_roots": ROOTS}))["client_roots"]
    return text(f"Client exposed {len(r.get('roots') or [])} root(s).")


@tool("test_input_required_result_request_state", "MRTR: requestState round trip")
async def _(c, a):
    await c.ask({"confirm": elicit("Please confirm", {"ok": {"type": "boolean"}})}, state="nonce-1")
    if c.era == "modern" and c.state != "nonce-1":
        raise RpcError(-32602, "requestState missing")
    return text("state-ok: confirmation received")


@tool("test_input_required_result_multiple_inputs", "MRTR: three requests at once")
async def _(c, a):
    await c.ask(
        {
            "user_name": elicit("What is your name?", NAME),
            "greeting": sample("Generate a greeting", 50),
            "client_roots": ROOTS,
        },
        state="multi",
    )
    return text("All inputs received.")


@tool("test_input_required_result_multi_round", "MRTR: two rounds, evolving state")
async def _(c, a):
    if c.era == "legacy":
        n = (await c.ask({"step1": elicit("Step 1: name?", NAME)}))["step1"]
        k = (await c.ask({"step2": elicit("Step 2: colour?", {"color": S})}))["step2"]
        return text(
            f"{(n.get('content') or {}).get('name')} likes {(k.get('content') or {}).get('color')}."
        )
    st = c.state or {"round": 1}
    if st["round"] == 1:
        if not c.state or "step1" not in (c.responses or {}):
            raise NeedInput({"step1": elicit("Step 1: name?", NAME)}, {"round": 1})
        name = (c.responses["step1"].get("content") or {}).get("name")
        raise NeedInput(
            {"step2": elicit("Step 2: colour?", {"color": S})}, {"round": 2, "name": name}
        )
    if "step2" not in (c.responses or {}):
        raise NeedInput({"step2": elicit("Step 2: colour?", {"color": S})}, st)
    return text(f"{st['name']} likes {(c.responses['step2'].get('content') or {}).get('color')}.")


@tool("test_input_required_result_tampered_state", "MRTR: integrity-protected state")
async def _(c, a):
    await c.ask({"confirm": elicit("Please confirm", {"ok": {"type": "boolean"}})}, state="round-1")
    return text(f"state-ok: {c.state}")


@tool("test_input_required_result_capabilities", "MRTR: asks only for what the client declared")
async def _(c, a):
    reqs = {}
    if c.has("sampling"):
        reqs["sample"] = sample("Say hello", 50)
    if c.has("elicitation"):
        reqs["ask"] = elicit("What is your name?", NAME)
    if reqs:
        await c.ask(reqs, state="gated")
    return text("asked: " + ",".join(sorted(reqs)))
