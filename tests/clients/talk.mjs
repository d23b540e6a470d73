// The official TypeScript client, as a test drives it:
//   node talk.mjs URL KEY ERA TOOL ARGUMENTS
// lists the tools, calls one, and prints { version, tools, result } as JSON, or { error } in place
// of the result where the call was refused. ERA is "auto", which probes for the stateless
// revision, or "legacy", which shakes hands.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, key, era, tool, given] = process.argv.slice(2);
const client = new Client(
    { name: 'typescript-client', version: '1.0.0' },
    { versionNegotiation: { mode: era } }
);
const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${key}` } }
});
await client.connect(transport);
const { tools } = await client.listTools();
const outcome = await client.callTool({ name: tool, arguments: JSON.parse(given) }).then(
    result => ({ result }),
    ({ code, message, data }) => ({ error: { code, message, data } })
);
console.log(
    JSON.stringify({
        version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
        tools: tools.map(one => one.name),
        ...outcome
    })
);
await client.close();
