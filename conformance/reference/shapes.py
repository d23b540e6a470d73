"""Results and questions in the shapes that the official suite looks for."""


def text(s, **kw):
    return {"content": [{"type": "text", "text": s}], **kw}


def obj(props=None, required=(), **kw):
    return {
        "type": "object",
        **({"properties": props} if props else {}),
        **({"required": list(required)} if required else {}),
        **kw,
    }


S = {"type": "string"}


def elicit(message, props, required=None):
    return {
        "method": "elicitation/create",
        "params": {
            "mode": "form",
            "message": message,
            "requestedSchema": obj(props, required if required is not None else list(props)),
        },
    }


def sample(prompt, n=100):
    return {
        "method": "sampling/createMessage",
        "params": {
            "messages": [{"role": "user", "content": {"type": "text", "text": prompt}}],
            "maxTokens": n,
        },
    }


ROOTS = {"method": "roots/list"}


def res_block(uri, mime, body):
    """Content that embeds a text resource."""
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime, "text": body}}
