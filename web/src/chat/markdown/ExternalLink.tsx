import type { ReactNode } from "react";
import { safeLink, says } from "./links";

/** A link out of the page, which says where it leads; plain text where it may not be followed.
 * Its text cannot turn around what stands after it. */
export function ExternalLink({ href, children }: { href: string; children: ReactNode }) {
  const link = safeLink(href);
  if (link === null) return <bdi>{children}</bdi>;
  const isSaid = typeof children === "string" && says(children, link.href);
  return (
    <>
      <a
        href={link.href}
        target="_blank"
        rel="noopener noreferrer"
        className="text-link underline underline-offset-2 hover:no-underline"
      >
        <bdi>{children}</bdi>
      </a>
      {!isSaid && (
        <span className="text-sm text-muted">
          {" "}
          (<bdi>{link.host}</bdi>)
        </span>
      )}
    </>
  );
}
