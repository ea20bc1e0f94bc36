// The operands of the stages that choose documents and count them. @throws MongoError for what is not valid
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { isPlainObject } from './matcher.ts';
import { wholeNumber } from './matcher-tests.ts';

export function filterOf(operand: unknown): Document {
  if (!isPlainObject(operand))
    throw new MongoError('Location15959', 'the match filter must be an expression in an object');
  return operand;
}

export function sortOf(operand: unknown): Document {
  if (!isPlainObject(operand)) throw new MongoError('Location15973', 'the $sort key specification must be an object');
  if (Object.keys(operand).length === 0)
    throw new MongoError('Location15976', '$sort stage must have at least one sort key');
  return operand;
}

/** How many of its results the stages after a `$sort` look at. */
export function wantedBy([first, second]: readonly Document[]): number {
  if (first?.$limit !== undefined) return limitOf(first.$limit);
  const isCut = first?.$skip !== undefined && second?.$limit !== undefined;
  return isCut ? skipOf(first.$skip) + limitOf(second.$limit) : Number.POSITIVE_INFINITY;
}

export function countName(operand: unknown): string {
  if (typeof operand !== 'string' || operand === '' || operand.startsWith('$') || operand.includes('.'))
    throw new MongoError('Location40156', 'the count field must be a non-empty string');
  return operand;
}

function numberOf(stage: '$skip' | '$limit', operand: unknown): number {
  const number = wholeNumber(operand) ?? -1;
  if (number < 0) throw new MongoError('Location5107200', `Expected a non-negative number in: ${stage}`);
  return number;
}

export function skipOf(operand: unknown): number {
  return numberOf('$skip', operand);
}

export function limitOf(operand: unknown): number {
  const limit = numberOf('$limit', operand);
  if (limit === 0) throw new MongoError('Location15958', 'the limit must be positive');
  return limit;
}
