import { ExternalLink as Icon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { buttonLook } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { partsOfUrl } from "../markdown/links";
import { visible } from "../markdown/visible";

/** A whole address with its host emphasised. It is opened by a click, and by nothing else. */
export function AddressCard(props: {
  url: string;
  openLabel: string;
  children: (isOpened: boolean) => ReactNode;
}) {
  const [isOpened, setOpened] = useState(false);
  const parts = partsOfUrl(props.url);
  if (parts === null) {
    return (
      <>
        <p className="rounded-lg bg-error-soft p-2.5 font-medium wrap-anywhere text-error">
          The address is none that can be opened here: {visible(props.url)}
        </p>
        <div className="flex flex-wrap gap-2">{props.children(false)}</div>
      </>
    );
  }
  return (
    <>
      <p className="rounded-lg bg-sunken p-2.5 font-mono text-[0.8125rem] break-all">
        <span className="text-muted">{parts.before}</span>
        <strong className="font-bold">{parts.host}</strong>
        <span className="text-muted">{parts.after}</span>
      </p>
      <div className="flex flex-wrap items-center gap-2">
        <a
          href={props.url}
          target="_blank"
          rel="noopener noreferrer"
          className={buttonLook({ variant: isOpened ? "outline" : "primary" })}
          onClick={() => setOpened(true)}
        >
          <Icon aria-hidden="true" />
          {props.openLabel}
        </a>
        {props.children(isOpened)}
        <CopyButton text={props.url} label="Copy address" />
      </div>
    </>
  );
}
