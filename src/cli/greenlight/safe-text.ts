/** Text from elsewhere made safe for a terminal: a reason, a name or a file may hold what moves the cursor or hides words. */

/** Colours as this program sets them; and all that a terminal acts upon, or that turns the order of what is read. */
const ACTIVE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /\x1b\[(?:[0-2]|22|3\d|9\d)m|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with such characters written as JSON writes them. Colours stay where `colors` says so. */
export function safeText(text: string, colors: boolean): string {
  return text.replace(ACTIVE, (found) =>
    colors && found.length > 1 ? found : [...found].map(escaped).join(""),
  );
}

/** Printable characters of a sequence stay. */
function escaped(char: string): string {
  const code = char.charCodeAt(0);
  return code > 0x1f && code < 0x7f ? char : `\\u${code.toString(16).padStart(4, "0")}`;
}
