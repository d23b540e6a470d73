import {
  createRootRoute,
  createRoute,
  createRouter,
  Link,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { basePath } from "@/api/base";
import { buttonLook } from "@/ui/Button";
import { EmptyState, ErrorNotice } from "@/ui/states";
import { Toasts } from "@/ui/toasts";

const root = createRootRoute({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  notFoundComponent: () => (
    <main className="py-16">
      <h1 className="sr-only">Not found</h1>
      <EmptyState
        title="There is no such page"
        action={
          <Link to="/" className={buttonLook({})}>
            To the start
          </Link>
        }
      />
    </main>
  ),
  errorComponent: ({ error }) => (
    <main className="mx-auto max-w-xl p-8">
      <h1 className="sr-only">Failed</h1>
      <ErrorNotice
        title="This page failed"
        failure={error instanceof Error ? error : new Error(String(error))}
        onRetry={() => window.location.reload()}
      />
    </main>
  ),
});

const chat = createRoute({
  getParentRoute: () => root,
  id: "chat",
  component: lazyRouteComponent(() => import("@/chat/ChatShell"), "ChatShell"),
});

const welcome = createRoute({
  getParentRoute: () => chat,
  path: "/",
  component: lazyRouteComponent(() => import("@/chat/WelcomePage"), "WelcomePage"),
});

const conversation = createRoute({
  getParentRoute: () => chat,
  path: "/c/$conversationId",
  component: lazyRouteComponent(() => import("@/chat/ConversationPage"), "ConversationPage"),
});

/** The pages, below the path that `<base>` names. */
export const router = createRouter({
  routeTree: root.addChildren([chat.addChildren([welcome, conversation])]),
  basepath: basePath(),
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
