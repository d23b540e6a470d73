import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { changeConversation } from "@/api/chat";
import type { ConversationView, Message } from "@/api/types";
import { Button } from "@/ui/Button";
import { keys } from "../queries";
import { leafOf } from "../stream/tree";

/** Goes between the versions of a message. */
export function BranchSwitch({ message, siblings }: { message: Message; siblings: Message[] }) {
  const client = useQueryClient();
  const id = message.conversation_id;
  const head = useMutation({
    mutationFn: (headId: string) => changeConversation(id, { head_id: headId }),
    onMutate: (head_id) => {
      const before = client.getQueryData<ConversationView>(keys.conversation(id));
      client.setQueryData<ConversationView>(
        keys.conversation(id),
        (view) => view && { ...view, head_id },
      );
      return before;
    },
    onError: (_, __, before) => client.setQueryData(keys.conversation(id), before),
  });
  const index = siblings.findIndex((one) => one.id === message.id);
  const go = (step: number) => {
    const target = siblings[index + step];
    const view = client.getQueryData<ConversationView>(keys.conversation(id));
    if (target && view) head.mutate(leafOf(view.messages, target).id);
  };
  return (
    <span
      role="group"
      aria-label="Versions"
      className="inline-flex items-center text-xs text-muted"
    >
      <Button
        variant="ghost"
        size="tiny"
        aria-label="Version before"
        disabled={index <= 0}
        onClick={() => go(-1)}
      >
        <ChevronLeft aria-hidden="true" />
      </Button>
      <span className="tabular-nums">
        <span className="sr-only">Version </span>
        {index + 1}/{siblings.length}
      </span>
      <Button
        variant="ghost"
        size="tiny"
        aria-label="Version after"
        disabled={index >= siblings.length - 1}
        onClick={() => go(1)}
      >
        <ChevronRight aria-hidden="true" />
      </Button>
    </span>
  );
}
