import { expect, test, vi } from "vitest";
import { serve } from "@/app/testing";
import { ApiError, leave, request, send } from "./client";

const refusal = (status: number, message: string) =>
  Response.json({ error: { code: "E1", message, correlation_id: "abc" } }, { status });

test("a change carries the token, a read does not", async () => {
  const sent = serve(() => Response.json({}));
  await request("api/chat/config");
  await request("api/chat/conversations", { method: "POST", body: { title: "a" } });
  expect(sent[0]?.headers.get("x-csrf-token")).toBeNull();
  expect(sent[1]?.headers.get("x-csrf-token")).toBe("token");
  expect(sent[1]?.body).toEqual({ title: "a" });
});

test("a refusal says why, with the id for an operator", async () => {
  serve(() => refusal(409, "It does not fit."));
  const failure = await send("api/chat/tools").catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({ status: 409, message: "It does not fit.", correlationId: "abc" });
});

test("a token that has gone stale is asked for once more", async () => {
  let attempts = 0;
  const sent = serve(() => {
    attempts += 1;
    return attempts === 1 ? refusal(403, "The request may be forged.") : Response.json({});
  });
  await request("api/chat/conversations", { method: "POST" });
  expect(sent).toHaveLength(2);
});

test("whoever is not signed in is sent there", async () => {
  const left = vi.spyOn(leave, "forSignIn").mockImplementation(() => {});
  serve(() => refusal(401, "Sign in."));
  await expect(request("api/chat/config")).rejects.toThrow("Sign in.");
  expect(left).toHaveBeenCalledOnce();
});
