// Operators on strings that differ from mingo's.
import { toText } from './conversions.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { type Code, fail, type Operator, one, position, two, whole } from './operator.ts';
import { arrayOf, type RawValue, rawInt, rawString } from './raw-bson.ts';
import { isNullish, NULL, textOf, typeName, type Value } from './values.ts';

/** Any value as text, where it has one; null is empty. */
function shown(value: Value): string {
  return isNullish(value) ? '' : (textOf(value) ?? toText(value));
}

function ofText(change: (text: string) => string): Operator {
  return { takes: one, apply: ([value]) => rawString(change(shown(value))) };
}

function stringOf(name: string, code: Code, value: Value): string {
  return textOf(value) ?? fail(code, `${name} requires a string, found: ${typeName(value)}`);
}

/** Only the letters of ASCII have cases. */
function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function integer(value: Value): number {
  return isNumeric(value)
    ? Math.trunc(toNumber(value))
    : fail('Location16034', `$substrBytes requires numbers, found ${typeName(value)}`);
}

function substring([value, from, length]: readonly Value[]): RawValue {
  const bytes = Buffer.from(shown(value));
  const start = integer(from);
  const count = integer(length);
  if (start < 0) fail('Location50752', `$substrBytes: starting index must be non-negative (got: ${start})`);
  const end = count < 0 ? bytes.length : Math.min(start + count, bytes.length);
  const isInside = (at: number): boolean => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  if (isInside(start))
    fail('Location28656', '$substrBytes: Invalid range, starting index is a UTF-8 continuation byte.');
  if (isInside(end))
    fail('Location28657', '$substrBytes: Invalid range, ending index is in the middle of a UTF-8 character.');
  return rawString(bytes.toString('utf8', start, end));
}

function split([value, separator]: readonly Value[]): Value {
  if (isNullish(value) || isNullish(separator)) return NULL;
  const text = stringOf('$split', 'Location40085', value);
  const by = stringOf('$split', 'Location40086', separator);
  if (by === '') fail('Location40087', '$split requires a non-empty separator');
  return arrayOf(text.split(by).map(rawString));
}

function compareCases([a, b]: readonly Value[]): RawValue {
  const [left, right] = [a, b].map((value) => Buffer.from(upper(shown(value))));
  return rawInt(left && right ? Buffer.compare(left, right) : 0);
}

/** `$indexOfCP` and `$indexOfBytes`. */
function indexOfText(name: string, unitsOf: (text: string) => readonly unknown[]): Operator {
  return {
    takes: [2, 4],
    apply: ([input, wanted, ...range]) => {
      if (isNullish(input)) return NULL;
      const [text = [], sought = []] = [input, wanted].map((value) => unitsOf(stringOf(name, 'Location40093', value)));
      const [from, to = text.length] = range.map((value) => value && whole(name, 'Location40096', value));
      const last = Math.min(to, text.length) - sought.length;
      return position(last + 1, from, (i) => sought.every((unit, j) => text[i + j] === unit));
    },
  };
}

export const stringOperators: Readonly<Record<string, Operator>> = {
  $toUpper: ofText(upper),
  $toLower: ofText(lower),
  $substr: { takes: [3, 3], apply: substring },
  $substrBytes: { takes: [3, 3], apply: substring },
  $split: { takes: two, apply: split },
  $strcasecmp: { takes: two, apply: compareCases },
  $indexOfCP: indexOfText('$indexOfCP', (text) => Array.from(text)),
  $indexOfBytes: indexOfText('$indexOfBytes', (text) => Array.from(Buffer.from(text))),
};
