import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { useEffect, useMemo } from "react";
import { useThemeColors } from "@/theme/mode";
import { Button } from "@/ui/Button";
import { Drawer } from "@/ui/Modal";
import { StreamsContext } from "./context";
import { useKeptDrafts } from "./drafts";
import { Header } from "./Header";
import { History } from "./history/History";
import { configQuery } from "./queries";
import { focusComposer, useChatUi } from "./state";
import { Streams } from "./stream/streams";
import { ToolsPanel } from "./tools/ToolsPanel";
import { useIsWide } from "./useIsWide";

/** History, conversation, tools: side by side where there is room, else in drawers. */
export function ChatShell() {
  const client = useQueryClient();
  const streams = useMemo(() => new Streams(client), [client]);
  const config = useQuery(configQuery);
  const { isHistoryOpen, isToolsOpen, announcement } = useChatUi();
  const hasHistory = useIsWide("48rem");
  const hasTools = useIsWide("72rem");
  useThemeColors(config.data ? (config.data.theme?.colors ?? null) : undefined);
  useEffect(() => () => streams.close(), [streams]);
  useKeptDrafts(config.data?.person.name);
  useSearchKey();
  return (
    <StreamsContext value={streams}>
      <SkipLink />
      <div className="flex h-full">
        {hasHistory ? (
          <aside aria-label="History" className="flex w-72 shrink-0 flex-col border-r bg-card">
            <Brand name={config.data?.name ?? ""} />
            <History />
          </aside>
        ) : (
          <Drawer
            side="left"
            title="Conversations"
            isOpen={isHistoryOpen}
            onOpenChange={(isOpen) => useChatUi.setState({ isHistoryOpen: isOpen })}
          >
            <History />
          </Drawer>
        )}
        <div className="flex min-w-0 flex-1 flex-col">
          <Header hasHistory={hasHistory} config={config.data} />
          <main className="flex min-h-0 flex-1 flex-col overflow-y-auto">
            <Outlet />
          </main>
        </div>
        {hasTools && isToolsOpen && (
          <aside aria-label="Tools" className="flex w-80 shrink-0 flex-col border-l bg-card">
            <ToolsPanel />
          </aside>
        )}
        {!hasTools && (
          <Drawer
            side="right"
            title="Tools"
            isOpen={isToolsOpen}
            onOpenChange={(isOpen) => useChatUi.setState({ isToolsOpen: isOpen })}
          >
            <ToolsPanel />
          </Drawer>
        )}
      </div>
      <p aria-live="polite" className="sr-only">
        {announcement}
      </p>
    </StreamsContext>
  );
}

/** First on the page: past the history, to where one writes. */
function SkipLink() {
  return (
    <nav aria-label="Skip">
      <Button className="fixed top-2 left-2 z-50 not-focus:sr-only" onClick={() => focusComposer()}>
        Skip to the message field
      </Button>
    </nav>
  );
}

function Brand({ name }: { name: string }) {
  return (
    <p className="flex h-13 shrink-0 items-center gap-2 border-b px-4 font-semibold">
      <span aria-hidden="true" className="h-4 w-1 rounded-full bg-accent" />
      <span className="truncate">{name || "Assistant"}</span>
    </p>
  );
}

/** Ctrl+K or ⌘K goes to the search for conversations. */
function useSearchKey(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      useChatUi.setState({ isHistoryOpen: true });
      requestAnimationFrame(() => document.querySelector<HTMLElement>("[data-search]")?.focus());
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
