/** The address and host of a link that may be followed: http and https; null for all other kinds,
 * which open other programs. */
export function safeLink(text: string): { href: string; host: string } | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return null;
  if (url.username !== "" || url.password !== "") return null;
  return { href: url.href, host: url.host };
}

/** Whether `text` is the address itself, so that whoever reads it knows where it leads. */
export function says(text: string, href: string): boolean {
  const plain = (one: string) => one.replace(/^https?:\/\//i, "").replace(/\/$/, "");
  return plain(text.trim()) === plain(href);
}

/** The parts of an address, so that its host can be shown apart from the rest. */
export function partsOfUrl(text: string): { before: string; host: string; after: string } | null {
  const link = safeLink(text);
  if (link === null) return null;
  const at = link.href.indexOf(link.host, link.href.indexOf("//"));
  return {
    before: link.href.slice(0, at),
    host: link.host,
    after: link.href.slice(at + link.host.length),
  };
}
