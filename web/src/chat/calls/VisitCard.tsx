import { KeyRound, Link2 } from "lucide-react";
import { type CallPlace, proceedCall } from "@/api/chat";
import type { CallPart } from "@/api/types";
import { Button } from "@/ui/Button";
import { ErrorNotice } from "@/ui/states";
import { visible } from "../markdown/visible";
import { nameOf } from "../stream/sentences";
import { AddressCard } from "./AddressCard";
import { Ask } from "./Ask";
import { useCallAction } from "./useCallAction";

/** A call that waits for an elevation, or for an account of the person to be connected. */
export function VisitCard({ call, place }: { call: CallPart; place: CallPlace }) {
  const proceed = useCallAction(() => proceedCall(place));
  const isElevation = call.state === "needs_elevation";
  const title = isElevation
    ? `“${nameOf(call)}” needs an elevation`
    : `“${nameOf(call)}” needs an account of yours`;
  const about = isElevation
    ? "Ask for it on the page below. Somebody may have to agree first."
    : `Connect your account${call.server ? ` for ${call.server}` : ""} on the page below.`;
  return (
    <Ask label={title} Icon={isElevation ? KeyRound : Link2} title={title}>
      <p dir="auto" className="wrap-anywhere">
        {visible(call.error || about)}
      </p>
      <AddressCard
        url={addressOf(call.url || ".")}
        openLabel={isElevation ? "Request elevation" : "Connect account"}
      >
        {() => (
          <Button disabled={proceed.isPending} onClick={() => proceed.mutate(undefined)}>
            I have it, go on
          </Button>
        )}
      </AddressCard>
      {proceed.error && <ErrorNotice title="It could not go on" failure={proceed.error} />}
    </Ask>
  );
}

/** The whole address; as it is where it is none, which the card then says. */
function addressOf(url: string): string {
  return URL.canParse(url, document.baseURI) ? new URL(url, document.baseURI).toString() : url;
}
