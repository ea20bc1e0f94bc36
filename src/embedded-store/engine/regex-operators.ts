// Operators that search in text by regular expressions.
import type { BSONRegExp } from 'bson';
import { arrayOf, documentOf } from './document-writer.ts';
import { toRegExp } from './matcher-tests.ts';
import { fail, type Operator, string } from './operator.ts';
import { bsonType, decodeValue, isNullish, type RawValue, rawInt, rawString } from './raw-bson.ts';
import { countCharacters } from './string-operators.ts';
import { NULL, rawBoolean, type Value } from './values.ts';

/** The expression that is given as text or as a regular expression, with options in it or beside it. */
function regexOf(name: string, regex: RawValue, options: string | undefined): RegExp {
  if (regex.type !== bsonType.regex) {
    const pattern = string(name, 'Location51105', regex);
    return toRegExp(pattern, options ?? '');
  }
  const own = decodeValue(regex) as BSONRegExp;
  if (own.options !== '' && options !== undefined)
    fail('Location51107', `${name}: options set in both 'regex' and 'options'`);
  return toRegExp(own.pattern, own.options || (options ?? ''));
}

/** The matches, one after the other; after an empty one the search goes on behind the next character. */
function* matchesIn(text: string, pattern: RegExp): Generator<RegExpExecArray> {
  const regex = new RegExp(pattern, `${pattern.flags}g`);
  do {
    const match = regex.exec(text);
    if (!match) return;
    yield match;
    if (match[0] === '') regex.lastIndex += (text.codePointAt(match.index) ?? 0) > 0xffff ? 2 : 1;
  } while (regex.lastIndex < text.length);
}

/** Each match with its place, which is counted in characters. */
function* shownMatches(text: string, pattern: RegExp): Generator<RawValue> {
  let seen = 0;
  let place = 0;
  for (const found of matchesIn(text, pattern)) {
    const [match, ...captures] = found;
    place += countCharacters(text.slice(seen, found.index));
    seen = found.index;
    yield documentOf([
      ['match', rawString(match)],
      ['idx', rawInt(place)],
      // A group that took no part is undefined, whatever its type says.
      [
        'captures',
        arrayOf(captures.map((group: string | undefined) => (group === undefined ? NULL : rawString(group)))),
      ],
    ]);
  }
}

/** `nothing` is the answer where there is no text, or no expression. */
function searching(name: string, nothing: Value, search: (text: string, pattern: RegExp) => Value): [string, Operator] {
  const apply = ([input, regex, options]: readonly Value[]): Value => {
    const text = isNullish(input) ? undefined : string(name, 'Location51104', input);
    const flags = isNullish(options) ? undefined : string(name, 'Location51106', options);
    const pattern = isNullish(regex) ? undefined : regexOf(name, regex, flags);
    return text === undefined || !pattern ? nothing : search(text, pattern);
  };
  return [name, { fields: ['input', 'regex', 'options?'], apply }];
}

export const regexOperators: Readonly<Record<string, Operator>> = Object.fromEntries([
  searching('$regexMatch', rawBoolean(false), (text, pattern) => rawBoolean(pattern.test(text))),
  searching('$regexFind', NULL, (text, pattern) => shownMatches(text, pattern).next().value ?? NULL),
  searching('$regexFindAll', arrayOf([]), (text, pattern) => arrayOf(shownMatches(text, pattern))),
]);
