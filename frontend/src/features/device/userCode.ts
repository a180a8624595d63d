// The short code that a program shows: eight letters that are not taken for one another.

const CODE = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;

/** The code as it is shown (`XXXX-XXXX`), however it was typed; null: not a code. */
export function codeOf(text: string): string | null {
  const letters = text.replaceAll(/[\s-]/g, "").toUpperCase();
  return CODE.test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : null;
}
