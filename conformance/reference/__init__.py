"""An MCP server of both eras that has all the official suite asks for, written without an SDK.

Tools that need their client are native to the era: a stateless request is answered with
`input_required`, a session is asked. `GET /_seen` tells what came over the wire.
"""
