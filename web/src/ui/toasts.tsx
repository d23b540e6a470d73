import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import { buttonLook } from "./Button";

const manager = Toast.createToastManager();

/** Say something that may be missed; ten seconds where something can be done about it. */
export function toast(title: string, action?: { label: string; onClick: () => void }): void {
  const id: string = manager.add({
    title,
    timeout: action ? 10_000 : 5000,
    ...(action && {
      actionProps: {
        children: action.label,
        onClick: () => {
          manager.close(id);
          action.onClick();
        },
      },
    }),
  });
}

export function Toasts() {
  return (
    <Toast.Provider toastManager={manager}>
      <Toast.Portal>
        <Toast.Viewport className="fixed top-16 right-4 z-50 flex w-[min(22rem,calc(100vw-2rem))] flex-col gap-2">
          <ToastList />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function ToastList() {
  return Toast.useToastManager().toasts.map((one) => (
    <Toast.Root
      key={one.id}
      toast={one}
      className="rounded-xl border bg-card p-3 text-sm shadow-lg data-limited:hidden"
    >
      <Toast.Content className="flex items-center gap-2">
        <Toast.Title className="min-w-0 flex-1 break-words" />
        <Toast.Action className={buttonLook({ size: "small" })} />
        <Toast.Close aria-label="Close" className={buttonLook({ variant: "ghost", size: "tiny" })}>
          <X aria-hidden="true" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
