const DEEPEST = 40;

/** `value` as JSON on lines of its own, on one line where it is deeply nested; never throws. */
export function prettyJson(value: unknown): string {
  return jsonOf(value, isDeep(value) ? undefined : 2);
}

/** `value` as JSON on one line; never throws. */
export function lineOfJson(value: unknown): string {
  return typeof value === "string" ? value : jsonOf(value);
}

function jsonOf(value: unknown, indent?: number): string {
  try {
    return JSON.stringify(value, null, indent) ?? "";
  } catch {
    return "[nested too deeply to be shown]";
  }
}

/** Whether indenting would make more blanks than text. */
function isDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth < DEEPEST; depth += 1) {
    level = level.flatMap((one) => (typeof one === "object" && one ? Object.values(one) : []));
    if (level.length === 0) return false;
  }
  return true;
}
