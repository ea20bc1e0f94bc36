// All operators of expressions that look at their arguments and nothing else.
import { accumulatorOperators } from './accumulators.ts';
import { compareValues } from './collation.ts';
import { conversions } from './conversions.ts';
import { dateOperators } from './date-operators.ts';
import { setAt } from './document-paths.ts';
import { listOperators } from './list-operators.ts';
import { numberOperators } from './number-operators.ts';
import { isNumeric, rawDouble } from './numbers.ts';
import { fail, type Operator, one, two } from './operator.ts';
import { bsonType, isNullish, rawInt, rawString, textOf, wholeDocument } from './raw-bson.ts';
import { regexOperators } from './regex-operators.ts';
import { stringOperators } from './string-operators.ts';
import { isTrue, NULL, rawBoolean, typeName, type Value } from './values.ts';

function comparison(test: (order: number) => boolean): Operator {
  return { takes: two, apply: ([a, b], fold) => rawBoolean(test(compareValues(a, b, fold))) };
}

/** Without a value the field goes. */
function setField([name, input, value]: readonly Value[]): Value {
  const text = textOf(name) ?? fail('Location4161107', "$setField requires 'field' to evaluate to a string");
  if (isNullish(input)) return NULL;
  if (input.type !== bsonType.object)
    return fail('Location4161105', "$setField requires 'input' to evaluate to an object");
  return wholeDocument(setAt(input, [text], value));
}

export const operators: Readonly<Record<string, Operator>> = {
  ...accumulatorOperators,
  ...conversions,
  ...dateOperators,
  ...listOperators,
  ...numberOperators,
  ...regexOperators,
  ...stringOperators,
  $cmp: { takes: two, apply: ([a, b], fold) => rawInt(compareValues(a, b, fold)) },
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $not: { takes: one, apply: ([value]) => rawBoolean(!isTrue(value)) },
  $rand: { fields: [], apply: () => rawDouble(Math.random()) },
  $type: { takes: one, apply: ([value]) => rawString(typeName(value)) },
  $isNumber: { takes: one, apply: ([value]) => rawBoolean(isNumeric(value)) },
  $isArray: { takes: one, apply: ([value]) => rawBoolean(value?.type === bsonType.array) },
  $setField: { fields: ['field', 'input', 'value'], apply: setField },
  $unsetField: { fields: ['field', 'input'], apply: setField },
};
