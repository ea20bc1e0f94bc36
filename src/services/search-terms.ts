/** Words for searching, and keys for sorting, that do not depend on case or accents. */

const MAX_TERMS = 200;
const MAX_TERM_LENGTH = 40;

/** Lower case, without accents: `Açaí Bowl` becomes `acai bowl`. */
export function foldText(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** The distinct words of some texts, folded and cut to a length; the first 200. */
export function searchTerms(...texts: string[]): string[] {
  const words = texts.flatMap((text) => foldText(text).match(/[\p{L}\p{N}]+/gu) ?? []);
  return [...new Set(words.map(cut))].slice(0, MAX_TERMS);
}

/** Without half a character at its end, which no database keeps. */
const cut = (word: string) => word.slice(0, MAX_TERM_LENGTH).replace(/\p{Cs}$/u, '');

/**
 * A query condition: one of the terms starts with this word of `searchTerms`, so letters and digits alone. An anchored
 * expression is answered by the index; a range inside `$elemMatch` brings DocumentDB's server process down.
 */
export function startsWith(word: string): { $regex: string } {
  return { $regex: `^${word}` };
}
