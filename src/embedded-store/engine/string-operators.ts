// Operators on strings.
import { toText } from './conversions.ts';
import { arrayOf } from './document-writer.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { any, type Code, fail, type Operator, one, strict, string, two, whole } from './operator.ts';
import { bsonType, checkGrowth, isNullish, type RawValue, rawInt, rawString, textOf } from './raw-bson.ts';
import { NULL, typeName, type Value } from './values.ts';

/** Text, a number or a date as text; null is empty. */
function shown(value: Value): string {
  if (isNullish(value)) return '';
  if (value.type === bsonType.date || isNumeric(value)) return toText(value);
  return textOf(value) ?? fail('Location16007', `can't convert from BSON type ${typeName(value)} to String`);
}

function ofText(change: (text: string) => string): Operator {
  return { takes: one, apply: ([value]) => rawString(change(shown(value))) };
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

/** What lies beyond 16 bits is two units of a string, but one character. */
export function countCharacters(text: string): number {
  return text.length - (text.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function substringOfCharacters([value, from, length]: readonly Value[]): RawValue {
  const characters = [...shown(value)];
  const start = whole('$substrCP', 'Location34450', from);
  const count = whole('$substrCP', 'Location34452', length);
  if (count < 0) fail('Location34454', '$substrCP: length must be a nonnegative integer.');
  if (start < 0) fail('Location34455', '$substrCP: the starting index must be a nonnegative integer.');
  return rawString(characters.slice(start, start + count).join(''));
}

function split([value, separator]: readonly Value[]): Value {
  if (isNullish(value) || isNullish(separator)) return NULL;
  const text = string('$split', 'Location40085', value);
  const by = string('$split', 'Location40086', separator);
  if (by === '') fail('Location40087', '$split requires a non-empty separator');
  return arrayOf(text.split(by).map(rawString));
}

const WHITESPACE = '\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a';

function trimming(name: string, atStart: boolean, atEnd: boolean): [string, Operator] {
  const apply = ([input, chars]: readonly Value[]): Value => {
    if (isNullish(input)) return NULL;
    const letters = [...string(name, 'Location50699', input)];
    if (chars && isNullish(chars)) return NULL;
    const unwanted = new Set(chars ? string(name, 'Location50700', chars) : WHITESPACE);
    const isWanted = (letter: string): boolean => !unwanted.has(letter);
    const first = atStart ? letters.findIndex(isWanted) : 0;
    const last = atEnd ? letters.findLastIndex(isWanted) : letters.length;
    return rawString(first < 0 ? '' : letters.slice(first, last + 1).join(''));
  };
  return [name, { fields: ['input', 'chars?'], apply }];
}

function replacing(name: string, replace: (parts: string[], find: string, by: string) => string): [string, Operator] {
  const apply = ([input, wanted, replacement]: readonly Value[]): Value => {
    const optional = (code: Code, value: Value) => (isNullish(value) ? undefined : string(name, code, value));
    const text = optional('Location51746', input);
    const find = optional('Location51745', wanted);
    const by = optional('Location51744', replacement);
    if (text === undefined || find === undefined || by === undefined) return NULL;
    const parts = find === '' ? ['', ...text, ''] : text.split(find);
    checkGrowth(text.length + (parts.length - 1) * by.length);
    return rawString(replace(parts, find, by));
  };
  return [name, { fields: ['input', 'find', 'replacement'], apply }];
}

export const stringOperators: Readonly<Record<string, Operator>> = {
  // Only the letters of ASCII have cases.
  $toUpper: ofText((text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  $toLower: ofText((text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  $substr: { takes: [3, 3], apply: substring },
  $substrBytes: { takes: [3, 3], apply: substring },
  $substrCP: { takes: [3, 3], apply: substringOfCharacters },
  $concat: strict(any, (args) => rawString(args.map((value) => string('$concat', 'Location16702', value)).join(''))),
  $strLenBytes: {
    takes: one,
    apply: ([value]) => rawInt(Buffer.byteLength(string('$strLenBytes', 'Location34473', value))),
  },
  $strLenCP: { takes: one, apply: ([value]) => rawInt(countCharacters(string('$strLenCP', 'Location34471', value))) },
  $split: { takes: two, apply: split },
  ...Object.fromEntries([
    trimming('$trim', true, true),
    trimming('$ltrim', true, false),
    trimming('$rtrim', false, true),
    replacing('$replaceAll', (parts, _, by) => parts.join(by)),
    replacing('$replaceOne', ([first = '', ...rest], find, by) =>
      rest.length > 0 ? first + by + rest.join(find) : first,
    ),
  ]),
};
