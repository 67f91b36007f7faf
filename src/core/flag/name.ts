/** Names in a document, and texts of other given forms, with the words that say what was expected. */
import * as z from "zod";

/** Names of flags, cohorts and releases go into counter keys, headers and URLs: no spaces, no `|`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

/** A text of a given form. The words say what is expected, also where something else stands or nothing. */
export const text = (form: RegExp, words: string) =>
  z.string(words).regex(form, { error: words, abort: true });

/** What `isName` takes, in words. */
export const NAME_WORDS = "a name: at most 64 letters, digits and . _ + -, a letter or digit first";

/** Schema of a name. */
export const name = text(NAME, NAME_WORDS);

/** Is this a name that the schema takes? */
export function isName(s: string): boolean {
  return NAME.test(s);
}
