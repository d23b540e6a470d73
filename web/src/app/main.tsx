import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "@/api/client";
import { startTheme } from "@/theme/mode";
import "@/theme/index.css";
import { router } from "./router";

const client = new QueryClient({
  defaultOptions: {
    // What the browser thinks of its network does not matter: the gateway may be on this machine.
    mutations: { networkMode: "always" },
    queries: {
      networkMode: "always",
      // What the gateway refused once, it refuses again; what did not arrive may arrive.
      retry: (failures, failure) =>
        failures < 2 && !(failure instanceof ApiError && failure.status < 500),
    },
  },
});

startTheme();
const place = document.getElementById("root");
if (place) {
  createRoot(place).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
}
