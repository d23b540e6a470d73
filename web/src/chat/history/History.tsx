import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { Plus, Search } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useState } from "react";
import type { Conversation } from "@/api/types";
import { Button, buttonLook } from "@/ui/Button";
import { Input } from "@/ui/fields";
import { EmptyState, ErrorNotice, Skeleton } from "@/ui/states";
import { useChatUi } from "../state";
import { groupByDay } from "./days";
import { HistoryRow } from "./HistoryRow";
import { useHistory, useHistoryActions } from "./useHistory";

/** All conversations of the person, by day. Arrow keys go from one to the next. */
export function History() {
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search.trim());
  const history = useHistory(wanted);
  const navigate = useNavigate();
  const { conversationId } = useParams({ strict: false });
  const actions = useHistoryActions((id) => {
    if (id === conversationId) void navigate({ to: "/" });
  });
  const shut = () => useChatUi.setState({ isHistoryOpen: false });
  const all = once(history.data?.pages.flatMap((page) => page.conversations) ?? []);
  return (
    <nav aria-label="Conversations" className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-col gap-2 p-3">
        <Link to="/" onClick={shut} className={buttonLook({ variant: "primary" }, "mr-10 md:mr-0")}>
          <Plus aria-hidden="true" />
          New conversation
        </Link>
        <div className="relative">
          <Search aria-hidden="true" className="absolute top-2.5 left-3 size-4 text-muted" />
          <Input
            type="search"
            data-search
            aria-label="Search conversations"
            placeholder="Search"
            className="pl-9"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links in it. */}
      <div className="min-h-0 flex-1 overflow-y-auto px-3 pb-3" onKeyDown={moveFocus}>
        <HistoryStates history={history} isSearch={wanted !== ""} onClear={() => setSearch("")} />
        {groupByDay(all, new Date()).map((group) => (
          <section key={group.label} aria-label={group.label} className="mb-3">
            <h2 className="px-2 py-1 text-xs font-medium text-muted">{group.label}</h2>
            <ul>
              {group.conversations.map((one: Conversation) => (
                <HistoryRow
                  key={one.id}
                  conversation={one}
                  isCurrent={one.id === conversationId}
                  isSearch={wanted !== ""}
                  actions={actions}
                  onOpen={shut}
                />
              ))}
            </ul>
          </section>
        ))}
        {history.hasNextPage && (
          <Button
            variant="ghost"
            size="small"
            disabled={history.isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            Show more
          </Button>
        )}
      </div>
    </nav>
  );
}

/** Each conversation once: one that moved up between two pages is on both. */
export function once(all: readonly Conversation[]): Conversation[] {
  return [...new Map(all.map((one) => [one.id, one])).values()];
}

function HistoryStates(props: {
  history: ReturnType<typeof useHistory>;
  isSearch: boolean;
  onClear: () => void;
}) {
  const { history } = props;
  if (history.isPending) {
    return (
      <div className="flex flex-col gap-2" role="status" aria-label="Loading conversations">
        {["w-3/4", "w-full", "w-5/6", "w-2/3"].map((width) => (
          <Skeleton key={width} className={`h-8 ${width}`} />
        ))}
      </div>
    );
  }
  if (history.isError) {
    return (
      <ErrorNotice
        title="Conversations cannot be shown"
        failure={history.error}
        onRetry={() => void history.refetch()}
        className="mb-3"
      />
    );
  }
  if (history.data.pages[0]?.total !== 0) return null;
  return props.isSearch ? (
    <EmptyState
      title="Nothing found"
      action={
        <Button size="small" onClick={props.onClear}>
          Clear search
        </Button>
      }
    >
      No conversation has these words in its title or messages.
    </EmptyState>
  ) : (
    <EmptyState title="No conversations yet">
      What you write is kept here, for you alone.
    </EmptyState>
  );
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || !(event.target instanceof HTMLAnchorElement)) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a[data-row]")];
  const next = links[links.indexOf(event.target) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
