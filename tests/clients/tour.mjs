// The official TypeScript client on a tour of what a gateway passes on:
//   node tour.mjs URL KEY ERA [STEPS]
// URL is of Streamable HTTP or, with ws:, of WebSocket. STEPS is JSON: [{ method, params }]. Prints
// { version, capabilities, steps: [{ result | error, progress, logs, asked }] }: what each step
// gave, and what came before its result.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { WebSocketTransport } from './websocket.mjs';

const [address, key, era, given] = process.argv.slice(2);
const url = new URL(address);
const headers = { authorization: `Bearer ${key}` };
const transport = url.protocol.startsWith('ws')
    ? new WebSocketTransport(url, headers)
    : new StreamableHTTPClientTransport(url, { requestInit: { headers } });
const client = new Client(
    { name: 'typescript-client', version: '1.0.0' },
    { versionNegotiation: { mode: era }, capabilities: { elicitation: { form: {} }, sampling: {} } }
);

let logs = [];
let asked = [];
client.setNotificationHandler('notifications/message', ({ params }) => void logs.push(params.data));
client.setRequestHandler('elicitation/create', ({ params }) => {
    asked.push(params.message);
    return { action: 'accept', content: { name: 'Ann' } };
});
client.setRequestHandler('sampling/createMessage', ({ params }) => {
    asked.push(params.messages[0].content.text);
    return { role: 'assistant', model: 'm', content: { type: 'text', text: 'word' } };
});
const steps = {
    'tools/list': () => client.listTools(),
    'tools/call': (params, options) => client.callTool(params, options),
    'resources/list': params => client.listResources(params),
    'resources/templates/list': () => client.listResourceTemplates(),
    'resources/read': params => client.readResource(params),
    'prompts/list': () => client.listPrompts(),
    'prompts/get': params => client.getPrompt(params),
    'completion/complete': params => client.complete(params),
    'logging/setLevel': params => client.setLoggingLevel(params.level)
};

async function take({ method, params }) {
    const progress = [];
    [logs, asked] = [[], []];
    const outcome = await Promise.resolve()
        .then(() => steps[method](params, { onprogress: one => progress.push(one.progress) }))
        .then(result => ({ result }), ({ code, message }) => ({ error: { code, message } }));
    return { ...outcome, progress, logs, asked };
}

await client.connect(transport);
const taken = [];
for (const step of JSON.parse(given)) taken.push(await take(step));
console.log(
    JSON.stringify({
        version: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion,
        capabilities: client.getServerCapabilities(),
        steps: taken
    })
);
await client.close();
