// Text search. A text is a row of words: runs of letters, digits and the marks on them, without case and accents. A text
// index has an entry for each word of a document; what else a search asks for is looked up in the documents found.
import { type Document, Double } from 'bson';
import { MongoError } from '../errors.ts';
import type { Collection } from './catalog.ts';
import { setAt } from './document-paths.ts';
import type { Index } from './indexes.ts';
import { isPlainObject, type Predicate } from './matcher.ts';
import { indexedValues, type Path, parsePath } from './paths.ts';
import { type RawValue, textOf, toRaw, wholeDocument } from './raw-bson.ts';

/** What a `$text` of a filter looks for, in the text index of its collection. */
export interface TextSearch {
  index: Index;
  /** A document that has none of these words does not match. */
  words: readonly string[];
  /** A document that has one of them does. */
  isPlain: boolean;
  matches: Predicate;
  /** How well it matches: `$meta: 'textScore'`. */
  score: (document: RawValue) => number;
}

/** Fields with their weights. */
export type TextFields = readonly (readonly [path: Path, weight: number])[];

interface Folding {
  caseSensitive: boolean;
  diacriticSensitive: boolean;
}

const plain: Folding = { caseSensitive: false, diacriticSensitive: false };
const MAX_WEIGHT = 99_999;
const languages = new Set([
  ...['none', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'hungarian', 'italian', 'norwegian'],
  ...['portuguese', 'romanian', 'russian', 'spanish', 'swedish', 'turkish'],
  ...['da', 'nl', 'en', 'fi', 'fr', 'de', 'hu', 'it', 'nb', 'pt', 'ro', 'ru', 'es', 'sv', 'tr'],
]);

function fold(text: string, { caseSensitive, diacriticSensitive }: Folding): string {
  if (!caseSensitive && /^[ -~]*$/.test(text)) return text.toLowerCase();
  const letters = diacriticSensitive ? text.normalize('NFKC') : text.normalize('NFKD').replace(/\p{Diacritic}/gu, '');
  return caseSensitive ? letters : letters.toLowerCase();
}

function wordsIn(folded: string): string[] {
  return folded.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

function wordsOf(text: string, folding: Folding = plain): string[] {
  return wordsIn(fold(text, folding));
}

function textsAt(document: RawValue, path: Path): string[] {
  return indexedValues(document, path).flatMap((value) => textOf(value) ?? []);
}

/** The words of the document, each once. */
export function indexedWords(document: RawValue, fields: TextFields): Set<string> {
  return new Set(fields.flatMap(([path]) => textsAt(document, path).flatMap((text) => wordsOf(text))));
}

export function textFields({ weights }: Document): TextFields | null {
  return isPlainObject(weights)
    ? Object.entries(weights).map(([path, weight]) => [parsePath(path), Number(weight)])
    : null;
}

/** The specification of a text index as it is stored and listed. @throws MongoError for what is not supported. */
export function completeTextSpec(spec: Document): Document {
  const refuse = (message: string): never => {
    throw new MongoError('CannotCreateIndex', message);
  };
  const { key, default_language = 'english', language_override = 'language', unique, expireAfterSeconds } = spec;
  const isStored = key._fts === 'text';
  const names = isStored ? [] : Object.keys(key);
  if (!isStored && Object.values(key).some((kind) => kind !== 'text'))
    refuse('a text index together with other fields is not supported');
  const weights: Record<string, number> = Object.fromEntries(names.map((name) => [name, 1]));
  for (const [name, weight] of Object.entries(spec.weights ?? {})) weights[name] = Number(weight);
  for (const [name, weight] of Object.entries(weights)) {
    if (name === '$**') refuse('a text index on all fields is not supported');
    if (!(weight >= 1 && weight <= MAX_WEIGHT))
      refuse(`text index weight must be in the exclusive interval (0,100000) but found: ${weight}`);
  }
  if (unique || expireAfterSeconds !== undefined) refuse("Index type 'text' does not support the unique or TTL option");
  if (spec.collation) refuse(`Index type 'text' does not support collation: ${JSON.stringify(spec.collation)}`);
  checkLanguage(default_language, 'CannotCreateIndex');
  return {
    ...spec,
    key: { _fts: 'text', _ftsx: 1 },
    weights: Object.fromEntries(Object.entries(weights).sort(([a], [b]) => (a < b ? -1 : 1))),
    default_language,
    language_override,
    textIndexVersion: 3,
  };
}

function checkLanguage(language: unknown, error: 'BadValue' | 'CannotCreateIndex'): void {
  if (typeof language !== 'string' || !languages.has(language.toLowerCase()))
    throw new MongoError(error, `unsupported language: ${JSON.stringify(language)} for text index version 3`);
}

/** The operands of `$text` in a filter. @throws MongoError where it may not stand. */
export function textOperands(filter: Document, isNegated = false): unknown[] {
  return Object.entries(filter).flatMap(([name, value]): unknown[] => {
    if (name === '$text') {
      if (isNegated) throw new MongoError('BadValue', 'text expression not allowed in nor');
      return [value];
    }
    if (!/^\$(and|or|nor)$/.test(name) || !Array.isArray(value)) return [];
    return value.filter(isPlainObject).flatMap((branch) => textOperands(branch, isNegated || name === '$nor'));
  });
}

/** The search of a filter; undefined when it has none. @throws MongoError as MongoDB does, 27 without a text index. */
export function textSearch(filter: Document, collection: Collection | undefined): TextSearch | undefined {
  const [operand, second] = textOperands(filter);
  if (operand === undefined) return undefined;
  if (second !== undefined) throw new MongoError('BadValue', 'Too many text expressions');
  const { search, folding } = parseOperand(operand);
  const index = collection?.indexes.find(({ text, ready, spec }) => text && ready && !spec.hidden);
  const fields = index?.text;
  if (!index || !fields) throw new MongoError('IndexNotFound', 'text index required for $text query');
  const wanted = parseSearch(search);
  const words = new Set(wanted.words.flatMap((text) => wordsOf(text)));
  return {
    index,
    words: [...words],
    isPlain: [...wanted.unwanted, ...wanted.phrases, ...wanted.unwantedPhrases].length === 0 && folding === plain,
    matches: matcher(wanted, folding, fields),
    score: (document) => scoreOf(document, fields, words),
  };
}

function parseOperand(operand: unknown): { search: string; folding: Folding } {
  if (!isPlainObject(operand)) throw new MongoError('BadValue', '$text expects an object');
  const { $search, $language = 'none', $caseSensitive = false, $diacriticSensitive = false, ...others } = operand;
  if ($search === undefined) throw new MongoError('BadValue', 'Missing expected field "$search"');
  if (typeof $search !== 'string')
    throw new MongoError('TypeMismatch', `"$search" had the wrong type. Expected string, found ${typeof $search}`);
  if (typeof $caseSensitive !== 'boolean' || typeof $diacriticSensitive !== 'boolean')
    throw new MongoError('TypeMismatch', '$caseSensitive and $diacriticSensitive had the wrong type. Expected bool');
  if (Object.keys(others).length > 0) throw new MongoError('BadValue', 'extra fields in $text');
  checkLanguage($language, 'BadValue');
  const isPlain = !$caseSensitive && !$diacriticSensitive;
  const folding = { caseSensitive: $caseSensitive, diacriticSensitive: $diacriticSensitive };
  return { search: $search, folding: isPlain ? plain : folding };
}

/** Parts of a search, as they were written. */
interface Wanted {
  words: string[];
  unwanted: string[];
  phrases: string[];
  unwantedPhrases: string[];
}

/** A minus counts at the beginning of a word or phrase; the words of a phrase are searched for too. */
function parseSearch(search: string): Wanted {
  const wanted: Wanted = { words: [], unwanted: [], phrases: [], unwantedPhrases: [] };
  for (const [text, minus, phrase] of search.matchAll(/((?<!\S)-)?(?:"([^"]*)"|[^\s"]+)/g)) {
    if (phrase !== undefined) (minus ? wanted.unwantedPhrases : wanted.phrases).push(phrase);
    if (!minus) wanted.words.push(phrase ?? text);
    else if (phrase === undefined) wanted.unwanted.push(text);
  }
  return wanted;
}

function matcher(wanted: Wanted, folding: Folding, fields: TextFields): Predicate {
  const foldAll = (texts: string[]): Set<string> => new Set(texts.flatMap((text) => wordsOf(text, folding)));
  const words = foldAll(wanted.words);
  const unwanted = foldAll(wanted.unwanted);
  return (document) => {
    const folded = fields.flatMap(([path]) => textsAt(document, path).map((text) => fold(text, folding)));
    const found = folded.flatMap(wordsIn);
    if (!found.some((word) => words.has(word)) || found.some((word) => unwanted.has(word))) return false;
    const has = (phrase: string): boolean => folded.some((text) => text.includes(fold(phrase, folding)));
    return wanted.phrases.every(has) && !wanted.unwantedPhrases.some(has);
  };
}

export function isMeta(value: unknown): boolean {
  return isPlainObject(value) && '$meta' in value;
}

/** @throws MongoError unless the score of a text search is asked for, and there is one. */
export function checkMeta(value: unknown, text: TextSearch | undefined): void {
  const { $meta } = value as Document;
  if ($meta !== 'textScore') throw new MongoError('Location17308', `Unsupported argument to $meta: ${String($meta)}`);
  if (!text) throw new MongoError('Location40218', 'query requires text score metadata, but it is not available');
}

/** What is shown of a document, with its score in this field. */
export function withScore(shown: Buffer, field: string, { score }: TextSearch, document: Buffer): Buffer {
  return setAt(wholeDocument(shown), field.split('.'), toRaw(new Double(score(wholeDocument(document)))));
}

/** MongoDB's score: https://github.com/mongodb/mongo/blob/master/src/mongo/db/fts/fts_spec.cpp */
function scoreOf(document: RawValue, fields: TextFields, wanted: ReadonlySet<string>): number {
  let score = 0;
  for (const [path, weight] of fields) {
    for (const text of textsAt(document, path)) {
      const words = wordsOf(text);
      for (const word of wanted) {
        const count = words.filter((other) => other === word).length;
        if (count === 0) continue;
        // A second time counts half, a third a quarter.
        const frequency = 2 - 2 ** (1 - count);
        const share = 0.5 + (0.5 * count) / words.length;
        score += weight * frequency * share * (text.toLowerCase() === word ? 1.1 : 1);
      }
    }
  }
  return score;
}
