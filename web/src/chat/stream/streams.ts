import type { QueryClient } from "@tanstack/react-query";
import { getStream, postMessage, postRetry } from "@/api/chat";
import { ApiError } from "@/api/client";
import type { ConversationView, Message, Numbered, StreamEvent } from "@/api/types";
import { keys } from "../queries";
import { announce, giveBack, setFailure, setLink, setPending } from "../state";
import { ConnectionLost, type Following, follow } from "./follow";
import { emptied, reduceMessage, reduceView, withMessage } from "./reducer";
import { sentenceOf } from "./sentences";
import { Tabs } from "./tabs";

const PUBLISH_MS = 40;

/** The answers that this page listens to: one stream for each message, never two. */
export class Streams {
  readonly #listened = new Map<string, () => void>();
  /** What is being sent, by conversation: ends it. */
  readonly #sending = new Map<string, () => void>();
  /** What the gateway may have taken, though nobody heard of it: the same text keeps its key. */
  readonly #unheard = new Map<string, { text: string; after: string | undefined; key: string }>();

  readonly #tabs: Tabs;

  constructor(private readonly client: QueryClient) {
    this.#tabs = new Tabs((id) => {
      void client.invalidateQueries({ queryKey: keys.conversation(id) });
      void client.invalidateQueries({ queryKey: keys.histories });
    });
  }

  /** Send a message and follow its answer. Where it is refused, its text is the draft again. */
  send(conversationId: string, text: string, after?: string): void {
    const before = this.#unheard.get(conversationId);
    const isAgain = before?.text === text && before.after === after;
    const key = isAgain ? before.key : newKey();
    const body = after === undefined ? { text } : { text, after };
    this.#unheard.delete(conversationId);
    setFailure(conversationId, null);
    setPending(conversationId, body);
    const notTaken = (failure?: Error) => {
      const isCertain = failure instanceof ApiError && failure.status < 500;
      if (!isCertain) this.#unheard.set(conversationId, { text, after, key });
      giveBack(conversationId, text);
    };
    const end = this.#follow(conversationId, null, {
      begin: (signal) => postMessage(conversationId, body, key, signal),
      onRefused: notTaken,
      onRetried: () => setPending(conversationId, { ...body, isRetried: true }),
    });
    this.#sending.set(conversationId, () => {
      end();
      notTaken();
    });
  }

  /** Send no more what nobody has answered yet; its text is the draft again. */
  cancel(conversationId: string): void {
    this.#sending.get(conversationId)?.();
    this.#sending.delete(conversationId);
    setPending(conversationId, null);
    void this.client.invalidateQueries({ queryKey: keys.conversation(conversationId) });
  }

  /** Have another answer made beside `messageId`. */
  retry(conversationId: string, messageId: string): void {
    const key = newKey();
    setFailure(conversationId, null);
    this.#follow(conversationId, null, {
      begin: (signal) => postRetry(conversationId, messageId, key, signal),
      beginsOnce: true,
    });
  }

  /** Listen to an answer that is being made, unless that is done already. */
  listen(message: Message): void {
    if (this.#listened.has(message.id)) return;
    this.#follow(message.conversation_id, message, {
      begin: (signal) => getStream(message.conversation_id, message.id, null, signal),
    });
  }

  /** Put what the server answered in place of `message`, and listen where it goes on. */
  take(message: Message): void {
    this.#update(message.conversation_id, (view) => withMessage(view, message));
    if (goesOn(message)) this.listen(message);
  }

  /** Have the server look at a message again, such as when the time to answer has passed. */
  wake(conversationId: string, messageId: string): void {
    const view = this.client.getQueryData<ConversationView>(keys.conversation(conversationId));
    const message = view?.messages.find((one) => one.id === messageId);
    if (message) this.listen(message);
  }

  /** Listen to nothing any more. */
  close(): void {
    for (const end of this.#listened.values()) end();
    this.#listened.clear();
    for (const end of this.#sending.values()) end();
    this.#sending.clear();
    this.#tabs.close();
  }

  #follow(
    conversationId: string,
    known: Message | null,
    how: {
      begin: Following["begin"];
      beginsOnce?: boolean;
      onRefused?: (failure: Error) => void;
      onRetried?: () => void;
    },
  ): () => void {
    const answer = new Answer(conversationId, known, (change) =>
      this.#update(conversationId, change),
    );
    let end = () => {};
    const adopt = (id: string) => {
      this.#listened.get(id)?.();
      this.#listened.set(id, () => end());
    };
    if (known) adopt(known.id);
    const following: Following = {
      begin: how.begin,
      beginsOnce: how.beginsOnce ?? false,
      resume: (since, signal) => {
        if (answer.message === null) return how.begin(signal);
        answer.isFresh = since === null;
        return getStream(conversationId, answer.message.id, since, signal);
      },
      onEvent: (numbered) => {
        const before = answer.message?.id;
        answer.take(numbered);
        if (answer.message && answer.message.id !== before) {
          this.#sending.delete(conversationId);
          setPending(conversationId, null);
          this.#tabs.tell(conversationId);
          if (!this.#listened.has(answer.message.id)) adopt(answer.message.id);
        }
        this.#tell(conversationId, numbered.event);
      },
      onState: (state) => {
        if (answer.message) setLink(answer.message.id, state);
        else if (state === "reconnecting") how.onRetried?.();
      },
      onDone: (failure) => {
        answer.publish();
        this.#done(conversationId, answer.message, failure);
        if (failure && answer.message === null) how.onRefused?.(failure);
      },
    };
    end = follow(following);
    return () => end();
  }

  #done(conversationId: string, message: Message | null, failure: Error | null): void {
    if (message) {
      this.#listened.delete(message.id);
      setLink(message.id, failure ? "lost" : null);
    }
    this.#sending.delete(conversationId);
    setPending(conversationId, null);
    // Where a known answer goes on without us, its own place says so.
    if (failure && !(message && failure instanceof ConnectionLost))
      setFailure(conversationId, failure);
    void this.client.invalidateQueries({ queryKey: keys.histories });
    this.#tabs.tell(conversationId);
  }

  #tell(conversationId: string, event: StreamEvent): void {
    if (event.type === "title") void this.client.invalidateQueries({ queryKey: keys.histories });
    if (event.type === "title")
      this.#update(conversationId, (view) => reduceView(view, null, event));
    const sentence = sentenceOf(event);
    if (sentence) announce(sentence);
  }

  #update(id: string, change: (view: ConversationView) => ConversationView): void {
    this.client.setQueryData<ConversationView>(keys.conversation(id), (view) =>
      view ? change(view) : view,
    );
  }
}

/** One answer as it grows; shown a few times a second rather than for every piece of text. */
class Answer {
  isFresh: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #first: StreamEvent | null = null;

  constructor(
    readonly conversationId: string,
    public message: Message | null,
    readonly update: (change: (view: ConversationView) => ConversationView) => void,
  ) {
    this.isFresh = message !== null;
  }

  take({ number, event }: Numbered): void {
    if (event.type === "title") return;
    if (event.type === "accepted" || event.type === "snapshot") this.#first ??= event;
    if (this.message === null && event.type !== "accepted" && event.type !== "snapshot") return;
    // A stream asked for from its beginning that comes without a snapshot says everything again.
    const isAgain = this.isFresh && event.type !== "snapshot" && number !== null && number <= 1;
    const base = isAgain && this.message ? emptied(this.message) : this.message;
    this.isFresh = false;
    this.message = reduceMessage(base as Message, event);
    if (event.type === "text_delta") this.#timer ??= setTimeout(() => this.publish(), PUBLISH_MS);
    else this.publish();
  }

  publish(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { message } = this;
    if (message === null) return;
    const first = this.#first;
    this.#first = null;
    this.update((view) => withMessage(first ? reduceView(view, null, first) : view, message));
  }
}

/** Whether something comes of `message` without anybody doing anything. */
export function goesOn(message: Message): boolean {
  return message.status === "running";
}

/** 128 random bits; `randomUUID` is not there on plain http. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
