// Speaks the contract of /api/chat with a scripted booking, and serves the built pages as the
// gateway does: strict policy, base path, compressed files. For looking at the pages only.
//
//   node dev/server.mjs [port]
//
// The cookie `scenario` makes answers differ: `empty`, `down`, `slow`, `signed-out`, `no-tools`, `drop`,
// `many` (conversations), `hostile` (theme and labels).

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildExtremes, buildMany } from "./extremes.mjs";
import { buildConversations, config, tools } from "./fixtures.mjs";
import { afterDecision, stepsFor } from "./script.mjs";

const UI = fileURLToPath(new URL("../../src/bascule/_ui", import.meta.url));
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TYPES = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".html": "text/html; charset=utf-8",
  ".svg": "image/svg+xml",
};
const TOKEN = "dev-token";
const PAUSE_MS = Number(process.env.PAUSE_MS ?? 40);

const known = [...buildConversations(), ...buildExtremes()];
const views = new Map(known.map((view) => [view.conversation.id, view]));
const deleted = new Map();
const sent = new Map();
const turns = new Map();

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

class Failure extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

/** A running answer: its numbered events, and who listens. */
class Turn {
  constructor(view, message) {
    Object.assign(this, { view, message, events: [], listeners: new Set(), isStopped: false });
    turns.set(message.id, this);
  }

  emit(event) {
    const numbered = { number: this.events.length + 1, event };
    this.events.push(numbered);
    for (const listener of this.listeners) listener(numbered);
  }

  setPart(index, part) {
    this.message.parts[index] = part;
    const kind = part.type;
    if (kind === "call") this.emit({ type: "call", part: index, call: part });
  }

  async run(steps) {
    this.message.status = "running";
    for (const step of steps) {
      if (this.isStopped) return;
      await this.step(step);
    }
    if (this.isStopped) return;
    const waits = this.message.parts.some((part) => part.state === "needs_approval");
    this.end(waits ? "waiting" : "complete");
  }

  async step({ say, call, wait }) {
    const { parts } = this.message;
    if (call ?? wait) {
      const found = parts.findIndex((part) => part.id === (call ?? wait).id);
      this.setPart(found < 0 ? parts.length : found, call ?? wait);
      await pause(PAUSE_MS * 12);
      return;
    }
    const index = parts.length;
    parts.push({ type: "text", text: "" });
    for (const piece of say.split(/(?<= )/)) {
      if (this.isStopped) return;
      parts[index].text += piece;
      this.emit({ type: "text_delta", part: index, text: piece });
      await pause(PAUSE_MS);
    }
  }

  end(status) {
    this.message.status = status;
    this.emit({ type: "end", status, tokens_in: 120, tokens_out: 48 });
  }

  stop() {
    this.isStopped = true;
    this.message.parts.push({ type: "notice", code: "stopped", text: "You stopped this answer." });
    this.emit({
      type: "notice",
      part: this.message.parts.length - 1,
      notice: this.message.parts.at(-1),
    });
    this.end("stopped");
  }
}

function openStream(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  return ({ number, event }) => {
    const id = number === null ? "" : `id: ${number}\n`;
    response.write(`${id}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    if (event.type === "end") response.end();
  };
}

function listen(request, response, turn, first, scenario) {
  const write = openStream(response);
  const last = Number(request.headers["last-event-id"] ?? Number.NaN);
  let count = 0;
  const listener = (numbered) => {
    write(numbered);
    count += 1;
    if (scenario === "drop" && count === 3) response.destroy();
  };
  if (first) write({ number: null, event: first });
  else if (Number.isNaN(last))
    write({ number: turn.events.length, event: { type: "snapshot", message: turn.message } });
  else for (const numbered of turn.events.slice(last)) write(numbered);
  if (turn.events.at(-1)?.event.type === "end" && turn.message.status !== "running") {
    if (!response.writableEnded)
      write({ number: turn.events.length, event: { type: "end", status: turn.message.status } });
    return;
  }
  turn.listeners.add(listener);
  response.on("close", () => turn.listeners.delete(listener));
}

function viewOf(id) {
  const view = views.get(id);
  if (!view) throw new Failure(404, "E3001", "There is no such conversation.");
  return view;
}

function messageOf(view, id) {
  const message = view.messages.find((one) => one.id === id);
  if (!message) throw new Failure(404, "E3001", "There is no such message.");
  return message;
}

function addMessage(view, role, parts, parent_id, status) {
  const message = {
    id: randomUUID(),
    conversation_id: view.conversation.id,
    role,
    parts,
    status,
    at: Date.now() / 1000,
    parent_id,
    model: "offline",
    tokens_in: 0,
    tokens_out: 0,
  };
  view.messages.push(message);
  view.head_id = message.id;
  view.conversation.updated_at = Date.now() / 1000;
  return message;
}

function textOf(message) {
  return message.parts.map((part) => part.text ?? "").join(" ");
}

function begin(view, question, answer) {
  const turn = new Turn(view, answer);
  if (!view.conversation.title) {
    view.conversation.title = textOf(question).slice(0, 40);
    setTimeout(() => turn.emit({ type: "title", title: view.conversation.title }), PAUSE_MS);
  }
  void pause(PAUSE_MS * 4).then(() => turn.run(stepsFor(textOf(question))));
  return turn;
}

function resume(message, steps) {
  const turn = turns.get(message.id) ?? new Turn(viewOf(message.conversation_id), message);
  message.status = "running";
  void pause(PAUSE_MS).then(() => turn.run(steps));
  return message;
}

const MARKUP = "<img src=x onerror=alert(1)>";
const BAD = "red;background:url(https://evil.example)";
const hostile = {
  ...config,
  name: MARKUP,
  greeting: `${MARKUP} ${"x".repeat(300)}`,
  quick_actions: [
    { id: MARKUP, label: `${MARKUP} ${"a label without end ".repeat(12)}`, prompt: MARKUP },
    { id: "b", label: "y".repeat(200), prompt: "javascript:alert(1)" },
  ],
  theme: {
    name: MARKUP,
    colors: Object.fromEntries(Object.keys(config.theme.colors).map((name) => [name, BAD])),
  },
};

const routes = [
  ["GET", /^\/api\/session$/, () => ({ name: "rahul", csrf_token: TOKEN })],
  ["GET", /^\/api\/chat\/config$/, ({ scenario }) => (scenario === "hostile" ? hostile : config)],
  [
    "GET",
    /^\/api\/chat\/tools$/,
    ({ scenario }) => (scenario === "no-tools" ? { tools: [], withheld: [] } : tools),
  ],
  ["GET", /^\/api\/chat\/conversations$/, listConversations],
  ["POST", /^\/api\/chat\/conversations$/, createConversation],
  ["GET", /^\/api\/chat\/conversations\/([^/]+)$/, ({ ids: [id] }) => viewOf(id)],
  ["PATCH", /^\/api\/chat\/conversations\/([^/]+)$/, changeConversation],
  ["DELETE", /^\/api\/chat\/conversations\/([^/]+)$/, removeConversation],
  ["POST", /^\/api\/chat\/conversations\/([^/]+)\/restore$/, restoreConversation],
  ["GET", /^\/api\/chat\/conversations\/([^/]+)\/export$/, ({ ids: [id] }) => viewOf(id)],
  ["POST", /^\/api\/chat\/conversations\/([^/]+)\/messages$/, sendMessage],
  ["POST", /^\/api\/chat\/conversations\/([^/]+)\/messages\/([^/]+)\/retry$/, retryMessage],
  ["GET", /^\/api\/chat\/conversations\/([^/]+)\/messages\/([^/]+)\/stream$/, streamMessage],
  ["POST", /^\/api\/chat\/conversations\/([^/]+)\/messages\/([^/]+)\/stop$/, stopMessage],
  [
    "POST",
    /^\/api\/chat\/conversations\/([^/]+)\/messages\/([^/]+)\/calls\/([^/]+)\/(decision|answer|proceed)$/,
    actOnCall,
  ],
];

function listConversations({ url, scenario }) {
  if (scenario === "many") {
    const page = Number(url.searchParams.get("page"));
    const limit = Number(url.searchParams.get("limit"));
    const conversations = buildMany().slice((page - 1) * limit, page * limit);
    return { conversations, total: 500, page, limit };
  }
  const search = (url.searchParams.get("search") ?? "").toLowerCase();
  const all = scenario === "empty" ? [] : [...views.values()];
  const found = all
    .filter((view) =>
      JSON.stringify([view.conversation.title, view.messages.map(textOf)])
        .toLowerCase()
        .includes(search),
    )
    .map((view) => ({
      ...view.conversation,
      ...(search && { snippet: textOf(view.messages[0] ?? { parts: [] }) }),
    }))
    .sort((a, b) => b.updated_at - a.updated_at);
  return { conversations: found, total: found.length, page: 1, limit: 30 };
}

function createConversation() {
  const at = Date.now() / 1000;
  const conversation = {
    id: randomUUID(),
    title: "",
    created_at: at,
    updated_at: at,
    is_pinned: false,
    head_id: null,
    allowed: [],
    snippet: null,
  };
  views.set(conversation.id, { conversation, messages: [], head_id: null });
  return conversation;
}

function changeConversation({ ids: [id], body }) {
  const view = viewOf(id);
  const { head_id, ...rest } = body;
  if (head_id) view.head_id = head_id;
  return Object.assign(view.conversation, rest);
}

function removeConversation({ ids: [id] }) {
  deleted.set(id, viewOf(id));
  views.delete(id);
  return undefined;
}

function restoreConversation({ ids: [id] }) {
  if (deleted.has(id)) views.set(id, deleted.get(id));
  return viewOf(id).conversation;
}

function sendMessage({ ids: [id], body, request, response, scenario }) {
  const view = viewOf(id);
  if (body.text === "fail")
    throw new Failure(
      429,
      "E2016",
      "Three answers of yours are being made already. Wait for one to end.",
    );
  const key = request.headers["idempotency-key"];
  if (!sent.has(key)) {
    const message = addMessage(
      view,
      "user",
      [{ type: "text", text: body.text }],
      body.after === undefined ? view.head_id : body.after || null,
      "complete",
    );
    const answer = addMessage(view, "assistant", [], message.id, "running");
    sent.set(key, { message, answer, turn: begin(view, message, answer) });
  }
  const { message, answer, turn } = sent.get(key);
  listen(
    request,
    response,
    turn,
    { type: "accepted", message, answer: structuredClone(answer) },
    scenario,
  );
  return response;
}

function retryMessage({ ids: [id, messageId], request, response }) {
  const view = viewOf(id);
  const before = messageOf(view, messageId);
  const answer = addMessage(view, "assistant", [], before.parent_id, "running");
  const turn = begin(view, messageOf(view, before.parent_id), answer);
  listen(request, response, turn, { type: "snapshot", message: structuredClone(answer) });
  return response;
}

function streamMessage({ ids: [id, messageId], request, response }) {
  const view = viewOf(id);
  const message = messageOf(view, messageId);
  listen(request, response, turns.get(messageId) ?? new Turn(view, message));
  return response;
}

function stopMessage({ ids: [id, messageId] }) {
  const message = messageOf(viewOf(id), messageId);
  (turns.get(messageId) ?? new Turn(viewOf(id), message)).stop();
  return message;
}

function actOnCall({ ids: [id, messageId, callId, act], body }) {
  const message = messageOf(viewOf(id), messageId);
  const call = message.parts.find((part) => part.id === callId);
  if (act === "decision")
    return resume(message, afterDecision(call, body.decision, body.arguments));
  const finished = {
    ...call,
    state: "done",
    inputs: [],
    error: "",
    structured: body?.answers ?? { ok: true },
    latency_ms: 12,
  };
  return resume(message, [{ call: finished }, { say: "Thank you, that is done." }]);
}

function sendJson(response, status, value) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(value === undefined ? undefined : JSON.stringify(value));
}

async function readBody(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return pieces.length > 0 ? JSON.parse(Buffer.concat(pieces).toString()) : undefined;
}

async function answer(request, response, url) {
  const scenario = /scenario=([a-z-]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
  if (scenario === "signed-out") throw new Failure(401, "E1001", "Sign in first.");
  if (scenario === "down")
    throw new Failure(503, "E5001", "The database does not answer. Try again in a moment.");
  if (scenario === "slow" && !url.pathname.endsWith("session")) await pause(60_000);
  if (request.method !== "GET" && request.headers["x-csrf-token"] !== TOKEN) {
    throw new Failure(403, "E1010", "The request may be forged: send the CSRF token.");
  }
  for (const [method, pattern, handle] of routes) {
    const found = pattern.exec(url.pathname);
    if (!found || method !== request.method) continue;
    const ids = found.slice(1).map(decodeURIComponent);
    const result = handle({ ids, url, request, response, scenario, body: await readBody(request) });
    if (result !== response) sendJson(response, result === undefined ? 204 : 200, result);
    return;
  }
  throw new Failure(404, "E3001", `There is nothing at ${url.pathname}.`);
}

function serveFile(request, response, url) {
  const path = url.pathname.replace(/^\/chat\/?/, "");
  const file = join(UI, path);
  const isFile = path !== "" && file.startsWith(UI) && extname(file) !== "" && existsSync(file);
  const served = isFile ? file : join(UI, "index.html");
  const isGzip =
    existsSync(`${served}.gz`) && /gzip/.test(request.headers["accept-encoding"] ?? "");
  response.writeHead(200, {
    "content-type": TYPES[extname(served)] ?? "application/octet-stream",
    "cache-control": isFile ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    ...(isGzip && { "content-encoding": "gzip" }),
  });
  response.end(readFileSync(isGzip ? `${served}.gz` : served));
}

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/chat")) return serveFile(request, response, url);
  if (!url.pathname.startsWith("/api/"))
    return response.end(`This would be ${url.pathname}${url.search}`);
  answer(request, response, url).catch((failure) => {
    const { status = 500, code = "E5000", message } = failure;
    const id = randomUUID().replaceAll("-", "");
    sendJson(response, status, {
      error: {
        code,
        message,
        details: {},
        correlation_id: id,
        request_id: id,
        timestamp: new Date().toISOString(),
      },
    });
  });
});

const port = Number(process.argv[2] ?? 8000);
server.listen(port, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${server.address().port}/chat/`),
);
