// Operators on strings that differ from mingo's.
import { toText } from './conversions.ts';
import { arrayOf } from './document-writer.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { type Code, fail, type Operator, one, two } from './operator.ts';
import { isNullish, type RawValue, rawString, textOf } from './raw-bson.ts';
import { NULL, typeName, type Value } from './values.ts';

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

export const stringOperators: Readonly<Record<string, Operator>> = {
  $toUpper: ofText(upper),
  $toLower: ofText(lower),
  $substr: { takes: [3, 3], apply: substring },
  $substrBytes: { takes: [3, 3], apply: substring },
  $split: { takes: two, apply: split },
};
