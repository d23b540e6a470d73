// Made by codegen/generate.mjs from the gateway's OpenAPI document. Do not edit.

export interface paths {
    "/api/chat/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Chat Config
         * @description Show what a chat page needs before the first message.
         */
        get: operations["show_chat_config_api_chat_config_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Conversations
         * @description List your conversations; of a `search`, those with all its words in title or messages.
         */
        get: operations["list_conversations_api_chat_conversations_get"];
        put?: never;
        /**
         * Begin Conversation
         * @description Begin a conversation.
         */
        post: operations["begin_conversation_api_chat_conversations_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Conversation
         * @description Show a conversation with all of its messages.
         */
        get: operations["show_conversation_api_chat_conversations__conversation_id__get"];
        put?: never;
        post?: never;
        /**
         * Delete Conversation
         * @description Put a conversation away. For some time (30 days as a rule) it can be restored.
         */
        delete: operations["delete_conversation_api_chat_conversations__conversation_id__delete"];
        options?: never;
        head?: never;
        /**
         * Change Conversation
         * @description Give a title, pin, or show another branch.
         */
        patch: operations["change_conversation_api_chat_conversations__conversation_id__patch"];
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Export Conversation
         * @description Give a conversation as a file: all of it as JSON, or the branch shown as Markdown.
         */
        get: operations["export_conversation_api_chat_conversations__conversation_id__export_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Messages
         * @description List the messages of the branch that is shown.
         */
        get: operations["list_messages_api_chat_conversations__conversation_id__messages_get"];
        put?: never;
        /**
         * Send Message
         * @description Say something, and read the answer while it is made: `accepted`, then its events.
         *
         *     Sent again with the same `Idempotency-Key` it is the same message, and its stream goes on.
         */
        post: operations["send_message_api_chat_conversations__conversation_id__messages_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/answer": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Answer Call
         * @description Answer the questions of a call.
         */
        post: operations["answer_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__answer_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/decision": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Decide Call
         * @description Say whether a call is made that waits for your approval. Software that acts for you can
         *     only refuse.
         */
        post: operations["decide_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__decision_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/calls/{call_id}/proceed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Proceed With Call
         * @description Make a call again that waited for an elevation, or for an account to be connected.
         */
        post: operations["proceed_with_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__proceed_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Retry Message
         * @description Have another answer made beside this one; a `snapshot` of it comes first.
         */
        post: operations["retry_message_api_chat_conversations__conversation_id__messages__message_id__retry_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/stop": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stop Message
         * @description End an answer, and cancel its calls.
         */
        post: operations["stop_message_api_chat_conversations__conversation_id__messages__message_id__stop_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/messages/{message_id}/stream": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Stream Message
         * @description Read the events of an answer after the last one you have; it goes on if it was interrupted.
         *
         *     Where they are gone, and without a number, a `snapshot` comes first.
         */
        get: operations["stream_message_api_chat_conversations__conversation_id__messages__message_id__stream_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/conversations/{conversation_id}/restore": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Restore Conversation
         * @description Bring back a conversation that was deleted.
         */
        post: operations["restore_conversation_api_chat_conversations__conversation_id__restore_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/chat/tools": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Chat Tools
         * @description List the tools that the assistant can use for you, and those it could.
         */
        get: operations["list_chat_tools_api_chat_tools_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show Session
         * @description Tell who is signed in with this browser, what they may, and until when.
         */
        get: operations["show_session_api_session_get"];
        put?: never;
        /**
         * Create Session
         * @description Sign in with a name and a password: the answer sets the cookie.
         */
        post: operations["create_session_api_session_post"];
        /**
         * End Session
         * @description Sign out in this browser.
         */
        delete: operations["end_session_api_session_delete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change Password
         * @description Change one's password. Other sessions end; the answer sets another cookie for this one.
         */
        post: operations["change_password_api_session_password_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/providers": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List Providers
         * @description List the ways to sign in. Needs no key.
         */
        get: operations["list_providers_api_session_providers_get"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/session/sign-out-everywhere": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign Out Everywhere
         * @description Sign out in every browser, and end tokens that were given to programs before now.
         */
        post: operations["sign_out_everywhere_api_session_sign_out_everywhere_post"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * AcceptedEvent
         * @description What was sent is kept as `message`, and `answer` is being made. It has no number.
         */
        AcceptedEvent: {
            answer: components["schemas"]["ChatMessage"];
            message: components["schemas"]["ChatMessage"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "accepted";
        };
        /**
         * CallDecision
         * @description Whether a call is made.
         */
        CallDecision: {
            /** Arguments */
            arguments?: {
                [key: string]: unknown;
            } | null;
            decision: components["schemas"]["Choice"];
            /**
             * Reason
             * @default
             */
            reason?: string;
        };
        /**
         * CallEvent
         * @description A call, new or changed, as a whole.
         */
        CallEvent: {
            call: components["schemas"]["CallPart"];
            /** Part */
            part: number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "call";
        };
        /**
         * CallPart
         * @description One tool call, from the model's wish to what came of it. What a tool answers is untrusted.
         */
        CallPart: {
            /**
             * Answers
             * @description What the person answered to `inputs`, until the call has gone on with it.
             */
            answers: {
                [key: string]: unknown;
            } | null;
            /** Arguments */
            arguments: {
                [key: string]: unknown;
            };
            /**
             * Content
             * @description The content blocks of the result (MCP).
             */
            content: {
                [key: string]: unknown;
            }[];
            /**
             * Correlation Id
             * @description Finds the call in the audit records.
             */
            correlation_id: string;
            /**
             * Decided
             * @description What the person said: `once`, `conversation`, `deny`, or `expired`; "" for nothing yet.
             */
            decided: string;
            /** Ended At */
            ended_at: number | null;
            /**
             * Error
             * @description The sentence for the person; "" for none.
             */
            error: string;
            /**
             * Error Code
             * @description As in errors of this API, such as `E1004`; "" for none.
             */
            error_code: string;
            /**
             * Expires At
             * @description Until when an answer of the person counts.
             */
            expires_at: number | null;
            /** Id */
            id: string;
            /**
             * Inputs
             * @description What the server asks.
             */
            inputs: components["schemas"]["InputRequest"][];
            /**
             * Is Edited
             * @description The person changed the arguments before agreeing.
             */
            is_edited: boolean;
            /**
             * Key
             * @description The idempotency key, the same however often the call is made again.
             */
            key: string;
            /** Latency Ms */
            latency_ms: number | null;
            /**
             * Made Before At
             * @description When the same call was last made in this conversation, if it was: approve it knowing that.
             */
            made_before_at: number | null;
            /** Progress */
            progress: number | null;
            /** Progress Message */
            progress_message: string;
            /** Progress Total */
            progress_total: number | null;
            /**
             * Reason
             * @description Why it was denied, in the person's words.
             */
            reason: string;
            /**
             * Risk
             * @description `read`, `write` or `privileged`.
             */
            risk: string;
            /**
             * Rule
             * @description The rule that let it pass or refused it.
             */
            rule: string;
            /**
             * Server
             * @description The bundle or server whose tool it is.
             */
            server: string;
            /** Started At */
            started_at: number | null;
            state: components["schemas"]["CallState"];
            /**
             * Structured
             * @description The structured content of the result, by the output schema of the tool.
             */
            structured: {
                [key: string]: unknown;
            } | null;
            /**
             * Title
             * @description The name for people; may be "".
             */
            title: string;
            /** Tool */
            tool: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "call";
            /**
             * Url
             * @description Where the person has to go first; "" for nowhere.
             */
            url: string;
        };
        /**
         * CallState
         * @description How far a tool call has come. What is not `is_open` never changes again.
         * @enum {string}
         */
        CallState: "needs_approval" | "queued" | "running" | "needs_elevation" | "needs_consent" | "needs_input" | "done" | "failed" | "denied" | "cancelled" | "unknown";
        /**
         * ChatBounds
         * @description What a page must keep to, or show.
         */
        ChatBounds: {
            /**
             * Approval Seconds
             * @description How long an answer about a call is waited for.
             */
            approval_seconds: number;
            /**
             * Text Characters
             * @description The longest message.
             */
            text_characters: number;
        };
        /**
         * ChatConfig
         * @description What a chat page needs before the first message.
         */
        ChatConfig: {
            /** Greeting */
            greeting: string;
            limits: components["schemas"]["ChatBounds"];
            model: components["schemas"]["ChatModel"];
            /**
             * Name
             * @description What the assistant is called.
             */
            name: string;
            person: components["schemas"]["ChatPerson"];
            /** Quick Actions */
            quick_actions: components["schemas"]["QuickAction"][];
            /** @description None for the usual look. */
            theme: components["schemas"]["ChatTheme"] | null;
        };
        /**
         * ChatEvent
         * @description The `data` of one server-sent event; `type` is its `event`, too, and its `id` a number.
         */
        ChatEvent: components["schemas"]["AcceptedEvent"] | components["schemas"]["SnapshotEvent"] | components["schemas"]["TextDeltaEvent"] | components["schemas"]["CallEvent"] | components["schemas"]["NoticeEvent"] | components["schemas"]["TitleEvent"] | components["schemas"]["EndEvent"];
        /**
         * ChatMessage
         * @description One message. An edit or a retry is a sibling of what it replaces.
         *
         *     One of the assistant holds the steps of its answer: each begins with a text, which may be
         *     empty, and its calls follow.
         */
        ChatMessage: {
            /** At */
            at: number;
            /** Conversation Id */
            conversation_id: string;
            /** Id */
            id: string;
            /** Model */
            model: string;
            /**
             * Parent Id
             * @description The message it follows; None for the first.
             */
            parent_id: string | null;
            /** Parts */
            parts: (components["schemas"]["TextPart"] | components["schemas"]["CallPart"] | components["schemas"]["NoticePart"])[];
            /**
             * Role
             * @enum {string}
             */
            role: "user" | "assistant";
            /** @description `waiting`: some of its calls go on only once the person has answered. */
            status: components["schemas"]["MessageStatus"];
            /**
             * Tokens In
             * @description As the provider counted, for the whole answer.
             */
            tokens_in: number;
            /** Tokens Out */
            tokens_out: number;
        };
        /**
         * ChatModel
         * @description The model that answers.
         */
        ChatModel: {
            /** Id */
            id: string;
            /**
             * Is Language Model
             * @description False for the planner that needs no model.
             */
            is_language_model: boolean;
            /**
             * Label
             * @description How people know it.
             */
            label: string;
            /**
             * Limits
             * @description What it can take, as far as known.
             */
            limits: {
                [key: string]: unknown;
            };
            /**
             * Note
             * @description What people should know of it; "" for nothing.
             */
            note: string;
            /** Provider */
            provider: string;
        };
        /**
         * ChatPerson
         * @description Who talks.
         */
        ChatPerson: {
            /** Name */
            name: string;
        };
        /**
         * ChatTheme
         * @description How an installation looks.
         */
        ChatTheme: {
            /**
             * Colors
             * @description CSS colours by what they are for: `primary`, `accent`, `surface` and so on.
             */
            colors: {
                [key: string]: string;
            };
            /** Name */
            name: string;
        };
        /**
         * ChatTool
         * @description A tool that the assistant can use for the person.
         */
        ChatTool: {
            /** Description */
            description: string;
            /** Input Schema */
            input_schema: {
                [key: string]: unknown;
            };
            /** Name */
            name: string;
            /**
             * Risk
             * @description `read`, `write` or `privileged`: the last two are asked about first.
             */
            risk: string;
            /**
             * Server
             * @description The bundle or server whose tool it is.
             */
            server: string;
            /** Title */
            title: string;
        };
        /**
         * ChatToolList
         * @description The tools that the assistant can use for the person now, and those it could.
         */
        ChatToolList: {
            /** Tools */
            tools: components["schemas"]["ChatTool"][];
            /** Withheld */
            withheld: components["schemas"]["WithheldChatTool"][];
        };
        /**
         * Choice
         * @description What a person says about a call that waits for approval.
         * @enum {string}
         */
        Choice: "once" | "conversation" | "deny";
        /**
         * Conversation
         * @description A conversation, without its messages.
         */
        Conversation: {
            /**
             * Allowed
             * @description Tools that the person lets it use without being asked again.
             */
            allowed: string[];
            /** Created At */
            created_at: number;
            /**
             * Head Id
             * @description The message at the end of the branch that is shown.
             */
            head_id: string | null;
            /** Id */
            id: string;
            /** Is Pinned */
            is_pinned: boolean;
            /**
             * Snippet
             * @description Where a search found it: some text around the first word. None for other requests.
             */
            snippet: string | null;
            /**
             * Title
             * @description "" until there is one.
             */
            title: string;
            /**
             * Updated At
             * @description When the newest message came.
             */
            updated_at: number;
        };
        /**
         * ConversationChange
         * @description What to change; what is left out stays.
         */
        ConversationChange: {
            /** Head Id */
            head_id?: string | null;
            /** Is Pinned */
            is_pinned?: boolean | null;
            /** Title */
            title?: string | null;
        };
        /**
         * ConversationDetail
         * @description A conversation with all of its messages, in every branch.
         */
        ConversationDetail: {
            conversation: components["schemas"]["Conversation"];
            /** Head Id */
            head_id: string | null;
            /**
             * Messages
             * @description The oldest first. `parent_id` makes a tree of them.
             */
            messages: components["schemas"]["ChatMessage"][];
        };
        /**
         * ConversationList
         * @description A page of conversations: the pinned ones first, then those with the newest message.
         */
        ConversationList: {
            /** Conversations */
            conversations: components["schemas"]["Conversation"][];
            /** Limit */
            limit: number;
            /** Page */
            page: number;
            /** Total */
            total: number;
        };
        /**
         * ConversationNew
         * @description A conversation to begin.
         */
        ConversationNew: {
            /**
             * Title
             * @default
             */
            title?: string;
        };
        /**
         * EndEvent
         * @description Nothing follows until somebody acts; where `status` is `waiting`, a later stream goes on.
         *
         *     A stream that ends without it broke off: open it again with the number of its last event.
         */
        EndEvent: {
            status: components["schemas"]["MessageStatus"];
            /** Tokens In */
            tokens_in: number;
            /** Tokens Out */
            tokens_out: number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "end";
        };
        /**
         * ErrorBody
         * @description The body of every answer that is not a success.
         */
        ErrorBody: {
            error: components["schemas"]["ErrorDetail"];
        };
        /**
         * ErrorDetail
         * @description What went wrong, what to do, and the id to quote to an operator.
         */
        ErrorDetail: {
            /** Code */
            code: string;
            /** Correlation Id */
            correlation_id: string;
            /** Details */
            details: {
                [key: string]: unknown;
            };
            /** Message */
            message: string;
            /** Request Id */
            request_id: string;
            /**
             * Timestamp
             * Format: date-time
             */
            timestamp: string;
        };
        /**
         * InputRequest
         * @description A question that a server puts: a form, or an address to open.
         */
        InputRequest: {
            /**
             * Id
             * @description Names the answer to it.
             */
            id: string;
            /** Message */
            message: string;
            /**
             * Schema
             * @description The restricted JSON Schema of a form (MCP elicitation); None where there is none.
             */
            schema: {
                [key: string]: unknown;
            } | null;
            /**
             * Url
             * @description An address to open; "" where there is a form.
             */
            url: string;
        };
        /**
         * MessageList
         * @description The branch that is shown, from the first message to its end.
         */
        MessageList: {
            /** Messages */
            messages: components["schemas"]["ChatMessage"][];
        };
        /**
         * MessageNew
         * @description What a person says.
         */
        MessageNew: {
            /** After */
            after?: string | null;
            /** Text */
            text: string;
        };
        /**
         * MessageStatus
         * @description How a message stands. One of the assistant begins as `running`.
         * @enum {string}
         */
        MessageStatus: "complete" | "running" | "waiting" | "stopped" | "failed";
        /**
         * NoticeEvent
         * @description A notice, new.
         */
        NoticeEvent: {
            notice: components["schemas"]["NoticePart"];
            /** Part */
            part: number;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "notice";
        };
        /**
         * NoticePart
         * @description Something the service has to say.
         */
        NoticePart: {
            /**
             * Code
             * @description For programs: `model_unavailable`, `too_many_steps`, `stopped` and so on.
             */
            code: string;
            /**
             * Text
             * @description For people.
             */
            text: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "notice";
        };
        /**
         * PasswordChange
         * @description The password one has, and the one to have.
         */
        PasswordChange: {
            /** Current */
            current: string;
            /** New */
            new: string;
        };
        /**
         * Provider
         * @description An issuer that people may sign in at: send the browser to `url`, with `?next=/path`.
         */
        Provider: {
            /** Name */
            name: string;
            /** Url */
            url: string;
        };
        /**
         * ProviderList
         * @description The ways in: passwords, where `local_accounts` is true, and providers.
         */
        ProviderList: {
            /** Local Accounts */
            local_accounts: boolean;
            /** Min Password Characters */
            min_password_characters: number;
            /** Providers */
            providers: components["schemas"]["Provider"][];
        };
        /**
         * QuestionAnswer
         * @description An answer to one question (`ElicitResult` of MCP).
         */
        QuestionAnswer: {
            /**
             * Action
             * @enum {string}
             */
            action: "accept" | "decline" | "cancel";
            /** Content */
            content?: {
                [key: string]: unknown;
            } | null;
        };
        /**
         * QuestionAnswers
         * @description Answers to the questions of a call, by their ids.
         */
        QuestionAnswers: {
            /** Answers */
            answers: {
                [key: string]: components["schemas"]["QuestionAnswer"];
            };
        };
        /**
         * QuickAction
         * @description Something to begin with.
         */
        QuickAction: {
            /** Id */
            id: string;
            /**
             * Label
             * @description What its button says.
             */
            label: string;
            /**
             * Prompt
             * @description What is written for the person, who may change it.
             */
            prompt: string;
        };
        /**
         * Session
         * @description Who is signed in, what they may, and until when.
         *
         *     `csrf_token` goes into the header `X-CSRF-Token` of every request that changes something.
         */
        Session: {
            /** Csrf Token */
            csrf_token: string;
            /**
             * Expires At
             * Format: date-time
             */
            expires_at: string;
            /** Groups */
            groups: string[];
            /**
             * Idle Until
             * Format: date-time
             */
            idle_until: string;
            /** Issuer */
            issuer: string | null;
            /** Name */
            name: string;
            /** Permissions */
            permissions: string[];
            /** Roles */
            roles: string[];
            /**
             * Session Id
             * Format: uuid
             */
            session_id: string;
            /**
             * Signed In At
             * Format: date-time
             */
            signed_in_at: string;
            /** Tenant */
            tenant: string;
            /**
             * User Id
             * Format: uuid
             */
            user_id: string;
        };
        /**
         * SessionCreate
         * @description Who wants to come in. Without `tenant`: that of the host, or `default`.
         */
        SessionCreate: {
            /** Name */
            name: string;
            /** Password */
            password: string;
            /**
             * Tenant
             * @default
             */
            tenant?: string;
        };
        /**
         * SignedOut
         * @description `provider_sign_out_url` is where to sign out as well; null where there is no such place.
         */
        SignedOut: {
            /** Provider */
            provider?: string | null;
            /** Provider Sign Out Url */
            provider_sign_out_url?: string | null;
        };
        /**
         * SnapshotEvent
         * @description The whole message as it stands, in place of all that was told of it before.
         */
        SnapshotEvent: {
            message: components["schemas"]["ChatMessage"];
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "snapshot";
        };
        /**
         * TextDeltaEvent
         * @description More text at the end of a part; the first begins that part.
         */
        TextDeltaEvent: {
            /**
             * Part
             * @description The number of the part, from 0.
             */
            part: number;
            /** Text */
            text: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "text_delta";
        };
        /**
         * TextPart
         * @description Markdown that the person or the model wrote. Show it without HTML and remote images.
         */
        TextPart: {
            /** Text */
            text: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "text";
        };
        /**
         * TitleEvent
         * @description The conversation has a title now.
         */
        TitleEvent: {
            /** Title */
            title: string;
            /**
             * @description discriminator enum property added by openapi-typescript
             * @enum {string}
             */
            type: "title";
        };
        /**
         * WithheldChatTool
         * @description A tool that the person would have, if somebody agreed or an account were connected.
         */
        WithheldChatTool: {
            /** Name */
            name: string;
            /** Title */
            title: string;
            /**
             * Why
             * @enum {string}
             */
            why: "elevation" | "account";
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    show_chat_config_api_chat_config_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatConfig"];
                };
            };
        };
    };
    list_conversations_api_chat_conversations_get: {
        parameters: {
            query?: {
                limit?: number;
                page?: number;
                search?: string;
            };
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationList"];
                };
            };
        };
    };
    begin_conversation_api_chat_conversations_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversationNew"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
        };
    };
    show_conversation_api_chat_conversations__conversation_id__get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConversationDetail"];
                };
            };
        };
    };
    delete_conversation_api_chat_conversations__conversation_id__delete: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    change_conversation_api_chat_conversations__conversation_id__patch: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ConversationChange"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
        };
    };
    export_conversation_api_chat_conversations__conversation_id__export_get: {
        parameters: {
            query?: {
                format?: "json" | "markdown";
            };
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                    "text/markdown": unknown;
                };
            };
        };
    };
    list_messages_api_chat_conversations__conversation_id__messages_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MessageList"];
                };
            };
        };
    };
    send_message_api_chat_conversations__conversation_id__messages_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same for each attempt to send one message, which is then kept once. */
                "idempotency-key"?: string | null;
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["MessageNew"];
            };
        };
        responses: {
            /** @description The request was refused; says why. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The server failed; says what to do. */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Events as they happen, up to `end`: `event` is the type, `data` the JSON below, `id` a number that rises. A comment comes where there is nothing to say. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["ChatEvent"];
                };
            };
        };
    };
    answer_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__answer_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                call_id: string;
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["QuestionAnswers"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessage"];
                };
            };
        };
    };
    decide_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__decision_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                call_id: string;
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallDecision"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessage"];
                };
            };
        };
    };
    proceed_with_call_api_chat_conversations__conversation_id__messages__message_id__calls__call_id__proceed_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                call_id: string;
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessage"];
                };
            };
        };
    };
    retry_message_api_chat_conversations__conversation_id__messages__message_id__retry_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request was refused; says why. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The server failed; says what to do. */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Events as they happen, up to `end`: `event` is the type, `data` the JSON below, `id` a number that rises. A comment comes where there is nothing to say. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["ChatEvent"];
                };
            };
        };
    };
    stop_message_api_chat_conversations__conversation_id__messages__message_id__stop_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatMessage"];
                };
            };
        };
    };
    stream_message_api_chat_conversations__conversation_id__messages__message_id__stream_get: {
        parameters: {
            query?: {
                /** @description The last event you have. */
                since?: number | null;
            };
            header?: {
                "last-event-id"?: string;
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
                message_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The request was refused; says why. */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description The server failed; says what to do. */
            "5XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Events as they happen, up to `end`: `event` is the type, `data` the JSON below, `id` a number that rises. A comment comes where there is nothing to say. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": components["schemas"]["ChatEvent"];
                };
            };
        };
    };
    restore_conversation_api_chat_conversations__conversation_id__restore_post: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path: {
                conversation_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Conversation"];
                };
            };
        };
    };
    list_chat_tools_api_chat_tools_get: {
        parameters: {
            query?: never;
            header?: {
                /** @description The time zone of the person (IANA). */
                "x-time-zone"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ChatToolList"];
                };
            };
        };
    };
    show_session_api_session_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    create_session_api_session_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionCreate"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    end_session_api_session_delete: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SignedOut"];
                };
            };
        };
    };
    change_password_api_session_password_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordChange"];
            };
        };
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Session"];
                };
            };
        };
    };
    list_providers_api_session_providers_get: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ProviderList"];
                };
            };
        };
    };
    sign_out_everywhere_api_session_sign_out_everywhere_post: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Client Error */
            "4XX": {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description Successful Response */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
