import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Menu, Monitor, Moon, Sun, Wrench } from "lucide-react";
import { useEffect } from "react";
import type { ChatConfig } from "@/api/types";
import { choosePreference, type Preference, useTheme } from "@/theme/mode";
import { ActionMenu } from "@/ui/ActionMenu";
import { Badge } from "@/ui/Badge";
import { Button, buttonLook } from "@/ui/Button";
import { conversationQuery } from "./queries";
import { useChatUi } from "./state";

/** The conversation's title, the model, and the switches of the page. */
export function Header({
  hasHistory,
  config,
}: {
  hasHistory: boolean;
  config: ChatConfig | undefined;
}) {
  const { conversationId = "" } = useParams({ strict: false });
  const view = useQuery({ ...conversationQuery(conversationId), enabled: conversationId !== "" });
  const isToolsOpen = useChatUi((ui) => ui.isToolsOpen);
  const title =
    conversationId === "" ? "New conversation" : view.data?.conversation.title || "Conversation";
  useEffect(() => {
    document.title = `${title} · Assistant`;
  }, [title]);
  return (
    <header className="flex h-13 shrink-0 items-center gap-1 border-b bg-card px-2">
      {!hasHistory && (
        <Button
          variant="ghost"
          size="icon"
          aria-label="Conversations"
          onClick={() => useChatUi.setState({ isHistoryOpen: true })}
        >
          <Menu aria-hidden="true" />
        </Button>
      )}
      <h1 className="min-w-0 flex-1 truncate px-2 text-sm font-semibold">{title}</h1>
      {config && (
        <Badge
          className="hidden sm:inline-flex"
          {...(config.model.note && { title: config.model.note })}
        >
          {config.model.label}
        </Badge>
      )}
      <Button
        variant="ghost"
        size="icon"
        aria-label="Tools"
        aria-pressed={isToolsOpen}
        onClick={() => useChatUi.setState({ isToolsOpen: !isToolsOpen })}
      >
        <Wrench aria-hidden="true" />
      </Button>
      <ThemeMenu />
    </header>
  );
}

const PREFERENCES: [Preference, string, typeof Sun][] = [
  ["system", "As the system", Monitor],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

function ThemeMenu() {
  const { preference, mode } = useTheme();
  const Icon = mode === "dark" ? Moon : Sun;
  return (
    <ActionMenu
      label="Light or dark"
      trigger={<Icon aria-hidden="true" />}
      triggerClassName={buttonLook({ variant: "ghost", size: "icon" })}
      actions={PREFERENCES.map(([value, label, Each]) => ({
        label,
        icon: <Each aria-hidden="true" />,
        isChecked: value === preference,
        onSelect: () => choosePreference(value),
      }))}
    />
  );
}
