import type { CallPlace } from "@/api/chat";
import type { CallPart } from "@/api/types";
import { ApprovalCard } from "./ApprovalCard";
import { QuestionCard } from "./QuestionCard";
import { VisitCard } from "./VisitCard";

/** What the person has to do before `call` goes on; nothing where it does not wait for them. */
export function Waiting({ call, place }: { call: CallPart; place: CallPlace }) {
  switch (call.state) {
    case "needs_approval":
      return <ApprovalCard call={call} place={place} />;
    case "needs_input":
      return <QuestionCard call={call} place={place} />;
    case "needs_elevation":
    case "needs_consent":
      return <VisitCard call={call} place={place} />;
    default:
      return null;
  }
}
