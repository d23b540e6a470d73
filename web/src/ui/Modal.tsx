import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { buttonLook } from "./Button";
import { cn } from "./cn";

interface ModalProps {
  title: string;
  isOpen: boolean;
  onOpenChange: (isOpen: boolean) => void;
  children: ReactNode;
}

const BACKDROP = "fixed inset-0 z-40 bg-black/50";

/** A dialog in the middle of the page. */
export function Modal({ title, isOpen, onOpenChange, children }: ModalProps) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={BACKDROP} />
        <Dialog.Popup className="fixed top-1/2 left-1/2 z-50 w-[min(28rem,calc(100vw-2rem))] -translate-x-1/2 -translate-y-1/2 rounded-2xl border bg-card p-5 shadow-xl">
          <Dialog.Title className="mb-3 text-base font-semibold">{title}</Dialog.Title>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** A panel from the side, for narrow pages. */
export function Drawer(props: ModalProps & { side: "left" | "right" }) {
  return (
    <Dialog.Root open={props.isOpen} onOpenChange={props.onOpenChange}>
      <Dialog.Portal>
        <Dialog.Backdrop className={BACKDROP} />
        <Dialog.Popup
          className={cn(
            "fixed inset-y-0 z-50 flex w-[min(20rem,calc(100vw-3rem))] flex-col bg-card shadow-xl",
            props.side === "left" ? "left-0" : "right-0",
          )}
        >
          <Dialog.Title className="sr-only">{props.title}</Dialog.Title>
          <Dialog.Close
            aria-label="Close"
            className={buttonLook(
              { variant: "ghost", size: "icon" },
              "absolute top-2 right-2 z-10",
            )}
          >
            <X aria-hidden="true" />
          </Dialog.Close>
          {props.children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
