import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { useState } from "react";
import type { OfferedTool, ToolList, WithheldTool } from "@/api/types";
import { Button } from "@/ui/Button";
import { Input } from "@/ui/fields";
import { EmptyState, ErrorNotice, Skeleton } from "@/ui/states";
import { RiskBadge } from "../calls/looks";
import { toolsQuery } from "../queries";

/** The tools that the assistant may use for the person, and why others are not among them. */
export function ToolsPanel() {
  const tools = useQuery(toolsQuery);
  const [search, setSearch] = useState("");
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-col gap-2 border-b p-3">
        <h2 className="text-sm font-semibold">Tools</h2>
        <div className="relative">
          <Search aria-hidden="true" className="absolute top-2.5 left-3 size-4 text-muted" />
          <Input
            type="search"
            aria-label="Search tools"
            placeholder="Search"
            className="pl-9"
            value={search}
            onChange={(event) => setSearch(event.target.value)}
          />
        </div>
      </div>
      <section
        aria-label="List of tools"
        tabIndex={0}
        className="min-h-0 flex-1 overflow-y-auto p-3 outline-offset-[-2px]"
      >
        {tools.isPending && (
          <div className="flex flex-col gap-2" role="status" aria-label="Loading tools">
            <Skeleton className="h-14" />
            <Skeleton className="h-14" />
            <Skeleton className="h-14" />
          </div>
        )}
        {tools.isError && (
          <ErrorNotice
            title="Tools cannot be shown"
            failure={tools.error}
            onRetry={() => void tools.refetch()}
          />
        )}
        {tools.data && (
          <Lists list={tools.data} search={search.trim()} onClear={() => setSearch("")} />
        )}
      </section>
    </div>
  );
}

const WHY: Record<WithheldTool["why"], string> = {
  elevation: "Needs an elevation. Ask the assistant for it, and it leads you to the request.",
  account: "Needs an account of yours. Ask the assistant for it, and it leads you there.",
};

function Lists({ list, search, onClear }: { list: ToolList; search: string; onClear: () => void }) {
  const has = (...texts: string[]) => texts.join(" ").toLowerCase().includes(search.toLowerCase());
  const tools = list.tools.filter((one) => has(one.name, one.title, one.description, one.server));
  const withheld = list.withheld.filter((one) => has(one.name, one.title));
  if (list.tools.length === 0 && list.withheld.length === 0) {
    return (
      <EmptyState title="No tools">
        You may use no tool here yet. Ask an administrator for a role that has some.
      </EmptyState>
    );
  }
  if (tools.length === 0 && withheld.length === 0) {
    return (
      <EmptyState
        title="Nothing found"
        action={
          <Button size="small" onClick={onClear}>
            Clear search
          </Button>
        }
      >
        No tool has these words.
      </EmptyState>
    );
  }
  return (
    <>
      {tools.length > 0 && (
        <section aria-label="Available" className="mb-4">
          <h3 className="mb-1 text-xs font-medium text-muted">Available ({tools.length})</h3>
          <ul className="flex flex-col gap-1">
            {tools.map((tool) => (
              <ToolRow key={tool.name} tool={tool} />
            ))}
          </ul>
        </section>
      )}
      {withheld.length > 0 && (
        <section aria-label="Not available now">
          <h3 className="mb-1 text-xs font-medium text-muted">
            Not available now ({withheld.length})
          </h3>
          <ul className="flex flex-col gap-1">
            {withheld.map((tool) => (
              <li key={tool.name} className="rounded-lg border border-dashed p-2.5 text-sm">
                <p className="font-medium break-words">{tool.title || tool.name}</p>
                <p className="text-muted">{WHY[tool.why]}</p>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function ToolRow({ tool }: { tool: OfferedTool }) {
  return (
    <li className="rounded-lg border p-2.5 text-sm">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-medium break-words">{tool.title || tool.name}</span>
        <RiskBadge risk={tool.risk} />
      </p>
      <p className="text-xs text-muted">
        {tool.server && `${tool.server} · `}
        <span className="font-mono break-all">{tool.name}</span>
      </p>
      {tool.description && <p className="mt-1 line-clamp-3 text-muted">{tool.description}</p>}
    </li>
  );
}
