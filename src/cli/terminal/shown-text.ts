/**
 * Text of others as it may be written to a terminal. Control characters in it could move the cursor, rewrite what
 * stands there, set the title or fill the clipboard; marks of direction could show its letters in another order.
 */
const UNSEEN = /(?![\t\n])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Each such character is shown as �; line breaks and tabs stay. */
export const shownText = (text: string): string => text.replaceAll(UNSEEN, '\ufffd');
