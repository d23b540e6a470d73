/** Characters that are not seen, or that turn what follows around, so that a text reads as another
 * one: controls, ANSI escapes, bidirectional embeddings, overrides and isolates, zero-width and tag
 * characters (UAX #9, Unicode 23.9). Joiners within words and emoji, and plain direction marks, are
 * left alone. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is for.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|(?<!\u{1f3f4}[\u{e0020}-\u{e007e}]*)[\u{e0000}-\u{e007f}]/gu;

/** `text` with unseen characters named, such as `‹U+202E›`. */
export function visible(text: string): string {
  return text.replace(
    UNSEEN,
    (found) => `‹U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}›`,
  );
}
