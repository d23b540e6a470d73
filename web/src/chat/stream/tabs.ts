/** Tells the other tabs of this browser that a conversation has changed, and hears of it from them. */
export class Tabs {
  #channel: BroadcastChannel | null;

  constructor(onChanged: (conversationId: string) => void) {
    this.#channel = "BroadcastChannel" in globalThis ? new BroadcastChannel("bascule.chat") : null;
    this.#channel?.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (typeof data === "string") onChanged(data);
    });
  }

  tell(conversationId: string): void {
    this.#channel?.postMessage(conversationId);
  }

  close(): void {
    this.#channel?.close();
    this.#channel = null;
  }
}
