// Collation through Intl.Collator, which compares and gives no sort keys. So a collation has two halves: a key that equal
// strings share, for equality in filters, indexes and uniqueness, and the collator's own order, for sorts and ranges.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { StringFold, StringKey } from './key-encoding.ts';
import { keyOf, type Value } from './values.ts';

const VERSION = process.versions.icu ?? '';
/** By the collation as it was given, and as it is complete. */
const known = new Map<string, StringFold>();
const MAX_KNOWN = 1_000;
const defaults: Document = {
  locale: '',
  caseLevel: false,
  caseFirst: 'off',
  strength: 3,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
  version: VERSION,
};
/** The values that Intl.Collator can do; 4 and 5, `space` and `backwards` are MongoDB's, but not its. */
const allowed: Record<string, readonly unknown[]> = {
  caseFirst: ['off', 'upper', 'lower'],
  strength: [1, 2, 3],
  alternate: ['non-ignorable', 'shifted'],
  maxVariable: ['punct'],
  backwards: [false],
};

/**
 * The collation with all of its fields, as listIndexes shows it; undefined for simple comparison.
 * @throws MongoError for what MongoDB refuses and for what Intl.Collator cannot do.
 */
export function completeCollation(given: Document): Document | undefined {
  if (typeof given.locale !== 'string')
    throw new MongoError('Location40414', "BSON field 'collation.locale' is missing but a required field");
  if (given.locale === 'simple') return undefined;
  const collation = { ...defaults };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaults, name))
      throw new MongoError('Location40415', `BSON field 'collation.${name}' is an unknown field.`);
    collation[name] = name === 'strength' && typeof value === 'object' ? Number(value) : value;
    checkField(name, collation[name]);
  }
  const { strength, caseLevel, caseFirst } = collation;
  if (caseLevel && strength !== 1) throw unsupported('caseLevel', `true with 'strength' ${strength}`);
  if (caseFirst !== 'off' && strength < 3 && !caseLevel)
    throw new MongoError('BadValue', `'caseFirst' is invalid unless 'caseLevel' is on or 'strength' is greater than 2`);
  const { caseFirst: first, ignorePunctuation } = collatorOf(given).resolvedOptions();
  if (strength > 2 || caseLevel) collation.caseFirst = first === 'false' ? 'off' : first;
  collation.alternate = ignorePunctuation ? 'shifted' : 'non-ignorable';
  return collation;
}

function checkField(name: string, value: unknown): void {
  if (typeof value !== typeof defaults[name])
    throw new MongoError('TypeMismatch', `BSON field 'collation.${name}' is the wrong type '${typeof value}'`);
  if (name === 'version' && value !== VERSION)
    throw new MongoError(
      'IncompatibleCollationVersion',
      `Requested collation version ${String(value)}, but the only available one is ${VERSION}`,
    );
  if (name === 'strength' && !(Number(value) >= 1 && Number(value) <= 5))
    throw new MongoError('Location51024', `BSON field 'strength' value must be >= 1 and <= 5`);
  if (allowed[name] && !allowed[name].includes(value)) throw unsupported(name, JSON.stringify(value));
}

function unsupported(name: string, value: string): MongoError {
  return new MongoError('BadValue', `the collation option '${name}': ${value} is not supported`);
}

/**
 * How a collation compares strings; undefined for simple comparison. The same collation gives the same function, so two
 * can be compared by identity.
 */
export function collationFold(collation: Document | undefined): StringFold | undefined {
  if (!collation) return undefined;
  const given = JSON.stringify(collation);
  const found = known.get(given);
  if (found) return found;
  const complete = completeCollation({ ...collation, version: VERSION });
  if (!complete) return undefined;
  const id = JSON.stringify(complete);
  const fold = known.get(id) ?? makeFold(collatorOf(complete), complete.numericOrdering);
  known.set(id, fold);
  if (known.size < MAX_KNOWN) known.set(given, fold);
  return fold;
}

const shortTypes: Record<string, string> = { phonebook: 'phonebk', traditional: 'trad', dictionary: 'dict' };

/** Fields that are not given stay those of the locale: upper case first in Danish, punctuation ignored in Thai. */
function collatorOf({ locale, strength, caseLevel, caseFirst, numericOrdering, alternate }: Document): Intl.Collator {
  const [name = '', type] = String(locale).split('@collation=');
  const tag = name.replaceAll('_', '-');
  try {
    const collator = new Intl.Collator(type ? `${tag}-u-co-${shortTypes[type] ?? type}` : tag, {
      sensitivity: caseLevel ? 'case' : (['base', 'accent', 'variant'] as const)[Number(strength ?? 3) - 1],
      numeric: Boolean(numericOrdering),
      ...(caseFirst !== undefined && { caseFirst: caseFirst === 'off' ? 'false' : caseFirst }),
      ...(alternate !== undefined && { ignorePunctuation: alternate === 'shifted' }),
    });
    const found = collator.resolvedOptions();
    if (found.locale.split('-u-')[0] === tag && (!type || found.collation !== 'default')) return collator;
  } catch {
    // Not even the form of a locale.
  }
  throw new MongoError('BadValue', `Field 'locale' is invalid in: { locale: "${locale}" }`);
}

/** Characters that may be equal to others, the wanted ones first: "ss" may be ß, "aa" å, and e is to stand for E. */
function makeAlphabet(): string[] {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const all = [...letters.flatMap((first) => letters.map((second) => first + second)), ...letters];
  const capitals: string[] = [];
  for (let code = 0; code < 0x3100; code++) {
    const character = String.fromCodePoint(code);
    if (!/[\p{M}\p{C}]/u.test(character)) (/\p{Lu}/u.test(character) ? capitals : all).push(character);
  }
  return [...all, ...capitals];
}

function makeFold({ compare }: Intl.Collator, numeric: boolean): StringFold {
  // Sorting is stable: the first of equals is the one to stand for them.
  const sorted = makeAlphabet().sort(compare);
  const classes = sorted.filter((one, i) => i === 0 || compare(sorted[i - 1] ?? '', one) !== 0);
  const found = new Map<string, string>();
  const keyOf = (text: string, between = ''): string => {
    const units = text.normalize('NFC').match(/\P{M}\p{M}*|\p{M}+/gu) ?? [];
    return units.map((unit) => found.get(unit) ?? remember(unit)).join(between);
  };
  const remember = (unit: string): string => {
    if (found.size > 50_000) found.clear();
    const key = unitKey(unit);
    found.set(unit, key);
    return key;
  };
  const unitKey = (unit: string): string => {
    if (compare(unit, '') === 0) return '';
    const parts = unit.normalize('NFKC');
    if (parts !== unit && compare(parts, unit) === 0) return keyOf(parts);
    const [, base = '', marks = ''] = /^(\P{M}?)(\p{M}+)$/u.exec(unit) ?? [];
    const letter = keyOf(base);
    const isEqual = (candidate: string): boolean => compare(candidate, unit) === 0;
    return search(classes, unit, compare) ?? [letter, letter + marks, unit.toLowerCase()].find(isEqual) ?? unit;
  };
  const fold = (text: string): string => {
    // Letters may mean something else together than apart ("aa" in Danish, but not "aA"), hence the joiner between them.
    for (const between of ['', '\u034f']) {
      const letters = keyOf(text, between);
      const key = numeric ? letters.replace(/(?<!\d)0+(?=\d)/g, '') : letters;
      if (compare(key, text) === 0) return key.normalize('NFC');
    }
    return text.normalize('NFC');
  };
  return Object.assign(fold, { compare });
}

function search(
  sorted: readonly string[],
  wanted: string,
  compare: (a: string, b: string) => number,
): string | undefined {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const difference = compare(sorted[middle] ?? '', wanted);
    if (difference === 0) return sorted[middle];
    if (difference < 0) low = middle + 1;
    else high = middle;
  }
  return undefined;
}

/**
 * Keys in the collation's order for the strings that `visit` shows, and for no others; undefined without a collation, as
 * plain strings are in their order already.
 */
export function rankStrings(fold: StringFold | undefined, visit: (see: StringKey) => void): StringKey | undefined {
  if (!fold) return undefined;
  const texts = new Set<string>();
  visit((text) => {
    texts.add(text);
    return '';
  });
  const ranks = new Map<string, string>();
  let rank = 0;
  let last = '';
  for (const text of [...texts].sort(fold.compare)) {
    if (fold.compare(last, text) !== 0) rank++;
    last = text;
    ranks.set(text, rank.toString(36).padStart(8, '0'));
  }
  return (text) => ranks.get(text) ?? '';
}

/** Below zero when `a` comes first in MongoDB's order of all values, 0 for equal ones. */
export function compareValues(a: Value, b: Value, fold?: StringFold): number {
  const ranks = rankStrings(fold, (see) => [a, b].map((value) => keyOf(value, see)));
  const [left, right] = [keyOf(a, ranks), keyOf(b, ranks)];
  return left < right ? -1 : left > right ? 1 : 0;
}
