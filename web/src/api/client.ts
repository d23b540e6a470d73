import { gatewayUrl, signInUrl } from "./base";
import type { Session } from "./types";

const CSRF_HEADER = "X-CSRF-Token";
const SAFE = new Set(["GET", "HEAD"]);

/** A refusal or a failure of the REST API, with the id to quote to an operator. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly correlationId = "",
    readonly details: Record<string, unknown> = {},
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface RequestOptions {
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let csrfToken: Promise<string> | null = null;

async function fetchCsrfToken(): Promise<string> {
  const response = await fetch(gatewayUrl("api/session"), {
    headers: { accept: "application/json" },
  });
  if (!response.ok) throw await failureOf(response);
  return ((await response.json()) as Session).csrf_token;
}

/** The token of this sign-in, asked for once; `fresh` after it was refused. */
function tokenOf(fresh: boolean): Promise<string> {
  if (fresh || csrfToken === null) {
    csrfToken = fetchCsrfToken();
    csrfToken.catch(() => {
      csrfToken = null;
    });
  }
  return csrfToken;
}

/** Send a request as the person who is signed in. Leaves for the sign-in page on 401.
 *
 * @throws ApiError for every answer that is no success; TypeError where nobody answers.
 */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const response = await attempt(path, options, false);
  if (response.ok) return response;
  const failure = await failureOf(response);
  if (response.status === 403 && !SAFE.has(options.method ?? "GET") && isAboutForgery(failure)) {
    const again = await attempt(path, options, true);
    if (again.ok) return again;
    throw await failureOf(again);
  }
  throw failure;
}

/** Send a request and read its JSON; undefined where the answer has no body. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function attempt(path: string, options: RequestOptions, fresh: boolean): Promise<Response> {
  const method = options.method ?? "GET";
  const headers: Record<string, string> = {
    accept: "application/json",
    "X-Time-Zone": timeZone(),
    ...options.headers,
  };
  if (!SAFE.has(method)) headers[CSRF_HEADER] = await tokenOf(fresh);
  if (options.body !== undefined) headers["content-type"] = "application/json";
  return await fetch(gatewayUrl(path), {
    method,
    headers,
    body: options.body === undefined ? null : JSON.stringify(options.body),
    signal: options.signal ?? null,
    credentials: "same-origin",
  });
}

/** Where the person is, so that "tomorrow" is their tomorrow. */
function timeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

function isAboutForgery(failure: ApiError): boolean {
  return /csrf|forge|token|origin/i.test(`${failure.code} ${failure.message}`);
}

async function failureOf(response: Response): Promise<ApiError> {
  if (response.status === 401) {
    csrfToken = null;
    leave.forSignIn();
  }
  const after = Number(response.headers.get("retry-after"));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : null;
  try {
    const { error } = (await response.json()) as { error: Record<string, unknown> };
    return new ApiError(
      response.status,
      String(error.code ?? ""),
      String(error.message ?? "The gateway refused this."),
      String(error.correlation_id ?? ""),
      (error.details as Record<string, unknown> | undefined) ?? {},
      retryAfter,
    );
  } catch {
    const message = `The gateway answered with status ${response.status} and no explanation.`;
    return new ApiError(response.status, "", message, "", {}, retryAfter);
  }
}

/** Of several answers with 401 the first leaves; another would break off the way there. */
let isLeaving = false;
window.addEventListener("pageshow", () => {
  isLeaving = false;
});

/** How the page is left; replaced in tests. */
export const leave = {
  forSignIn: () => {
    if (isLeaving) return;
    isLeaving = true;
    window.location.assign(signInUrl(window.location));
  },
};
