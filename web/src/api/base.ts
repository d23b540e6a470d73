/** Where the pages are served: the path of `<base>`, which the server sets when it serves them. */
export function basePath(): string {
  return new URL(document.baseURI).pathname;
}

/** The gateway's own paths, one level above the pages: `/chat/` has its API at `/api/`. */
export function gatewayUrl(path: string): string {
  return new URL(`../${path.replace(/^\//, "")}`, document.baseURI).toString();
}

/** Where to sign in, so that one comes back to `location`. */
export function signInUrl(location: { pathname: string; search: string }): string {
  const next = encodeURIComponent(location.pathname + location.search);
  return gatewayUrl(`sign-in?next=${next}`);
}
