/** The words of `/api/chat`, as the gateway's OpenAPI document has them. */
import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type JsonObject = { [name: string]: unknown };

export type CallState = Schemas["CallState"];
export type TextPart = Schemas["TextPart"];
/** A question of a server: a form by `schema`, or an address to open. */
export type InputRequest = Schemas["InputRequest"];
/** One tool call. Times in seconds since the epoch; `content` and `structured` are untrusted. */
export type CallPart = Schemas["CallPart"];
export type NoticePart = Schemas["NoticePart"];
export type Part = Schemas["ChatMessage"]["parts"][number];
export type MessageStatus = Schemas["MessageStatus"];
/** One message of the tree that `parent_id` makes. */
export type Message = Schemas["ChatMessage"];
export type StreamEvent = Schemas["ChatEvent"];

/** An event and its number within its message; null where it has none. */
export interface Numbered {
  number: number | null;
  event: StreamEvent;
}

export type Conversation = Schemas["Conversation"];
export type ConversationPage = Schemas["ConversationList"];
/** A conversation with all messages of its tree; `head_id` ends the branch that is shown. */
export type ConversationView = Schemas["ConversationDetail"];
export type QuickAction = Schemas["QuickAction"];
export type ThemeColors = Schemas["ChatTheme"]["colors"];
export type ChatConfig = Schemas["ChatConfig"];
export type OfferedTool = Schemas["ChatTool"];
export type WithheldTool = Schemas["WithheldChatTool"];
export type ToolList = Schemas["ChatToolList"];
export type Choice = Schemas["Choice"];
export type Answer = Schemas["QuestionAnswer"];
export type Session = Schemas["Session"];
