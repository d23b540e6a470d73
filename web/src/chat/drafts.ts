import { useEffect } from "react";
import { useChatUi } from "./state";

const KEY = "bascule.drafts";

interface Kept {
  person: string;
  drafts: Record<string, string>;
}

/** Keeps drafts while the page is away, such as at the sign-in after a session has ended: in this
 * tab, and for the same person alone. */
export function useKeptDrafts(person: string | undefined): void {
  useEffect(() => {
    if (person === undefined) return;
    const kept = take();
    if (kept?.person === person) {
      useChatUi.setState(({ drafts }) => ({ drafts: { ...kept.drafts, ...written(drafts) } }));
    }
    const keep = () => {
      const drafts = written(useChatUi.getState().drafts);
      if (Object.keys(drafts).length > 0) put({ person, drafts });
    };
    window.addEventListener("pagehide", keep);
    return () => window.removeEventListener("pagehide", keep);
  }, [person]);
}

function written(drafts: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(drafts).filter(([, text]) => text.trim() !== ""));
}

function take(): Kept | null {
  try {
    const text = sessionStorage.getItem(KEY);
    sessionStorage.removeItem(KEY);
    const kept = JSON.parse(text ?? "null") as Kept | null;
    return typeof kept?.drafts === "object" ? kept : null;
  } catch {
    return null; // Storage is shut off, or holds something else.
  }
}

function put(kept: Kept): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Storage is shut off or full: the drafts are lost with the page.
  }
}
