import { RefreshCw, WifiOff } from "lucide-react";
import { memo } from "react";
import type { Message } from "@/api/types";
import { Boundary } from "@/ui/Boundary";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { CallGroup } from "../calls/CallGroup";
import { useStreams } from "../context";
import { Markdown } from "../markdown/Markdown";
import { useChatUi } from "../state";
import { goesOn } from "../stream/streams";
import { BranchSwitch } from "./BranchSwitch";
import { blocksOf, textOf } from "./groups";
import { Notice } from "./Notice";

/** An answer: what the model wrote, the calls it made, and what the service has to say. */
export const AssistantMessage = memo(function AssistantMessage(props: {
  message: Message;
  siblings: Message[];
  isLast: boolean;
}) {
  const { message } = props;
  const streams = useStreams();
  const isRunning = goesOn(message);
  const text = textOf(message.parts);
  const place = { conversationId: message.conversation_id, messageId: message.id };
  return (
    <article aria-label="Assistant" aria-busy={isRunning} className="flex min-w-0 flex-col gap-3">
      {blocksOf(message.parts).map((block) => {
        if (block.kind === "text") return <Text key={block.key} text={block.text} />;
        if (block.kind === "notice") return <Notice key={block.key} notice={block.notice} />;
        return <CallGroup key={block.key} calls={block.calls} place={place} />;
      })}
      {isRunning && <Working message={message} />}
      {!isRunning && message.status !== "waiting" && (
        <div className="-ml-2 flex min-h-7 flex-wrap items-center gap-1 text-muted">
          {props.siblings.length > 1 && (
            <BranchSwitch message={message} siblings={props.siblings} />
          )}
          {text !== "" && <CopyButton text={text} label="Copy" />}
          {props.isLast && (
            <Button
              variant="ghost"
              size="small"
              aria-label="Retry: make another answer"
              onClick={() => streams.retry(message.conversation_id, message.id)}
            >
              <RefreshCw aria-hidden="true" />
              Retry
            </Button>
          )}
        </div>
      )}
    </article>
  );
});

function Text({ text }: { text: string }) {
  return (
    <Boundary instead={<p className="wrap-anywhere whitespace-pre-wrap">{text}</p>}>
      <Markdown text={text} />
    </Boundary>
  );
}

function Working({ message }: { message: Message }) {
  const link = useChatUi((state) => state.links[message.id]);
  const streams = useStreams();
  if (link === "lost") {
    return (
      <p className="flex flex-wrap items-center gap-2 text-sm text-muted">
        <WifiOff aria-hidden="true" className="size-4" />
        The connection is lost. The answer goes on at the gateway.
        <Button size="small" onClick={() => streams.listen(message)}>
          Connect again
        </Button>
      </p>
    );
  }
  return (
    <p className="flex items-center gap-2 text-sm text-muted">
      <span aria-hidden="true" className="flex gap-1">
        {["", "[animation-delay:150ms]", "[animation-delay:300ms]"].map((delay) => (
          <span key={delay} className={`size-1.5 animate-pulse rounded-full bg-link ${delay}`} />
        ))}
      </span>
      {link === "reconnecting" ? "Connecting again…" : "Working…"}
    </p>
  );
}
