"""What a message is: JSON-RPC, both MCP eras, headers and error codes. Pure, no I/O."""
