import type { ConversationView, Message, Part, StreamEvent } from "@/api/types";

/** An event that does not fit what is known: something before it was missed. */
export class MissedEvents extends Error {
  override readonly name = "MissedEvents";
}

/** What is left of `message` before any of its events. */
export function emptied(message: Message): Message {
  return { ...message, parts: [], status: "running" };
}

/** The message after `event`: a snapshot replaces it, all else adds to it.
 *
 * @throws MissedEvents where `event` is about a part that cannot follow.
 */
export function reduceMessage(message: Message, event: StreamEvent): Message {
  switch (event.type) {
    case "accepted":
      return event.answer;
    case "snapshot":
      return event.message;
    case "text_delta": {
      const before = message.parts[event.part];
      if (before !== undefined && before.type !== "text") throw new MissedEvents();
      const text = (before?.text ?? "") + event.text;
      return withPart(message, event.part, { type: "text", text });
    }
    case "call":
      return withPart(message, event.part, { ...event.call, type: "call" });
    case "notice":
      return withPart(message, event.part, { ...event.notice, type: "notice" });
    case "end":
      return {
        ...message,
        status: event.status,
        tokens_in: event.tokens_in ?? message.tokens_in ?? 0,
        tokens_out: event.tokens_out ?? message.tokens_out ?? 0,
      };
    case "title":
      return message;
    default:
      return message; // An event of a later version of the gateway.
  }
}

function withPart(message: Message, index: number, part: Part): Message {
  if (index > message.parts.length) throw new MissedEvents();
  const parts = message.parts.slice();
  parts[index] = part;
  return { ...message, status: message.status === "waiting" ? "running" : message.status, parts };
}

/** The conversation with `message` in it, new or in place of what it was. */
export function withMessage(view: ConversationView, message: Message): ConversationView {
  const index = view.messages.findIndex((one) => one.id === message.id);
  if (index >= 0 && view.messages[index] === message) return view;
  const messages = view.messages.slice();
  if (index < 0) messages.push(message);
  else messages[index] = message;
  return { ...view, messages };
}

/** The conversation after an `event` of the answer `answerId`; null before it is accepted. */
export function reduceView(
  view: ConversationView,
  answerId: string | null,
  event: StreamEvent,
): ConversationView {
  if (event.type === "title") {
    return { ...view, conversation: { ...view.conversation, title: event.title } };
  }
  if (event.type === "accepted") {
    const both = withMessage(withMessage(view, event.message), event.answer);
    return { ...both, head_id: event.answer.id };
  }
  if (event.type === "snapshot") {
    const isNew = view.messages.every((one) => one.id !== event.message.id);
    const next = withMessage(view, event.message);
    return isNew ? { ...next, head_id: event.message.id } : next;
  }
  const message = view.messages.find((one) => one.id === answerId);
  if (message === undefined) throw new MissedEvents();
  return withMessage(view, reduceMessage(message, event));
}
