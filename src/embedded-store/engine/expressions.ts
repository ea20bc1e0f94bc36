// Aggregation expressions, compiled once and evaluated over raw documents, so that values keep their exact types.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { accumulate, arrayAccumulators } from './accumulators.ts';
import { wholeDocument } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject, type Predicate } from './matcher.ts';
import { isMingoOperator, mingoOperator } from './mingo-operators.ts';
import { isNumeric, toNumber } from './numbers.ts';
import type { Operator } from './operator.ts';
import { operators } from './operators.ts';
import { items, parsePath } from './paths.ts';
import { arrayOf, bsonType, DocumentWriter, findElement, type RawValue, toRaw } from './raw-bson.ts';
import { isNullish, isTrue, itemsOf, NULL, rawBoolean, textOf, typeName, type Value } from './values.ts';

export type Variables = Readonly<Record<string, Value>>;

/** What an expression is evaluated on. */
export interface Scope {
  root: RawValue;
  variables: Variables;
}

export type Evaluate = (scope: Scope) => Value;

/** What a compilation knows: the names of variables, and how strings are compared. */
export interface ExpressionContext {
  names: readonly string[];
  fold?: StringFold | undefined;
}

/** @throws MongoError for what MongoDB refuses before it looks at a document. */
export function compileExpression(expression: unknown, context: ExpressionContext): Evaluate {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression, context);
  if (Array.isArray(expression)) {
    const parts = compileList(expression, context);
    return (scope) => arrayOf(parts.map((part) => part(scope) ?? NULL));
  }
  if (isPlainObject(expression)) return compileObject(expression, context);
  return constant(expression);
}

function constant(value: unknown): Evaluate {
  const raw = toRaw(value);
  return () => raw;
}

function compileObject(expression: Document, context: ExpressionContext): Evaluate {
  const names = Object.keys(expression);
  const [first = ''] = names;
  if (first.startsWith('$')) {
    if (names.length === 1) return compileOperator(first, expression[first], context);
    throw new MongoError(
      'Location15983',
      `an object representing an expression must have exactly one field: ${names.join(', ')}`,
    );
  }
  const wrong = names.find((name) => name.includes('.') || name.startsWith('$'));
  if (wrong !== undefined)
    throw new MongoError('Location16405', `FieldPath field names may not contain '.' or start with '$': ${wrong}`);
  const parts = compileList(Object.values(expression), context);
  return (scope) => {
    const writer = new DocumentWriter();
    for (const [i, part] of parts.entries()) {
      const value = part(scope);
      if (value) writer.add(names[i] ?? '', value);
    }
    return wholeDocument(writer.finish());
  };
}

function compilePath(text: string, { names }: ExpressionContext): Evaluate {
  if (text === '$' || text === '$$')
    throw new MongoError('Location16872', `'${text}' by itself is not a valid FieldPath`);
  if (text.endsWith('.')) throw new MongoError('Location40353', "FieldPath must not end with a '.'.");
  const [variable = '', ...fields] = text.startsWith('$$')
    ? text.slice(2).split('.')
    : ['ROOT', ...text.slice(1).split('.')];
  if (fields.includes('')) throw new MongoError('Location15998', 'FieldPath field names may not be empty strings.');
  const parts = fields.length === 0 ? [] : parsePath(fields.join('.')).parts;
  if (variable === 'ROOT' || variable === 'CURRENT') return ({ root }) => follow(root, parts, 0);
  if (variable === 'REMOVE') return () => undefined;
  if (!names.includes(variable)) throw new MongoError('Location17276', `Use of undefined variable: ${variable}`);
  return ({ variables }) => follow(variables[variable], parts, 0);
}

/** Arrays on the way give the array of what their documents have there. */
function follow(start: Value, parts: readonly Uint8Array[], from: number): Value {
  let value = start;
  for (let i = from; i < parts.length; i++) {
    const name = parts[i];
    if (!value || !name) return undefined;
    if (value.type === bsonType.array) {
      const found: RawValue[] = [];
      for (const item of items(value)) {
        const inner = item.type === bsonType.object ? follow(item, parts, i) : undefined;
        if (inner) found.push(inner);
      }
      return arrayOf(found);
    }
    if (value.type !== bsonType.object) return undefined;
    value = findElement(value.buffer, value.start, name);
  }
  return value;
}

function compileOperator(name: string, operand: unknown, context: ExpressionContext): Evaluate {
  const form = forms[name];
  if (form) return form(operand, context);
  const operator = operators[name];
  const isNamed = isPlainObject(operand) && !Object.keys(operand)[0]?.startsWith('$');
  if (operator?.fields && (isNamed || !operator.takes)) return namedOperator(name, operand, operator, context);
  if (operator || arrayAccumulators.includes(name)) {
    const parts = compileList(operand, context);
    if (operator?.takes) checkCount(name, parts.length, ...operator.takes);
    return (scope) => {
      const args = parts.map((part) => part(scope));
      return operator ? operator.apply(args, context.fold) : accumulate(name, args, context.fold);
    };
  }
  if (!isMingoOperator(name)) throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
  const given = isNamed ? operand : Object.fromEntries([operand].flat().entries());
  const parts = compileList(Object.values(given), context);
  const run = mingoOperator(name, Object.keys(given), isNamed ? 'named' : Array.isArray(operand) ? 'list' : 'single');
  return (scope) => run(parts.map((part) => part(scope)));
}

function namedOperator(name: string, operand: unknown, operator: Operator, context: ExpressionContext): Evaluate {
  const fields = operator.fields ?? [];
  const names = fields.map((field) => field.replace('?', ''));
  const given = namedOperand(
    name,
    operand,
    fields.filter((field) => !field.endsWith('?')),
    names,
  );
  const parts = names.map((field) =>
    given[field] === undefined ? undefined : compileExpression(given[field], context),
  );
  return (scope) =>
    operator.apply(
      parts.map((part) => part?.(scope)),
      context.fold,
    );
}

function compileList(operand: unknown, context: ExpressionContext): Evaluate[] {
  return (Array.isArray(operand) ? operand : [operand]).map((part) => compileExpression(part, context));
}

function checkCount(name: string, count: number, least: number, most = least): void {
  if (count >= least && count <= most) return;
  if (least === most)
    throw new MongoError(
      'Location16020',
      `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`,
    );
  throw new MongoError(
    'Location28667',
    `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${count} were passed in.`,
  );
}

/** An operand whose fields are arguments. @throws MongoError for other fields and for missing ones. */
function namedOperand(
  name: string,
  operand: unknown,
  required: readonly string[],
  optional: readonly string[] = [],
): Document {
  if (!isPlainObject(operand)) throw new MongoError('FailedToParse', `${name} only supports an object as its argument`);
  for (const field of Object.keys(operand)) {
    if (!required.includes(field) && !optional.includes(field))
      throw new MongoError('FailedToParse', `${name} found an unknown argument: ${field}`);
  }
  const missing = required.find((field) => operand[field] === undefined);
  if (missing) throw new MongoError('FailedToParse', `Missing '${missing}' parameter to ${name}`);
  return operand;
}

/** An operator that decides itself what of its operand is evaluated, and with which variables. */
type Form = (operand: unknown, context: ExpressionContext) => Evaluate;

const forms: Readonly<Record<string, Form>> = {
  $literal: constant,
  $and: (operand, context) => {
    const parts = compileList(operand, context);
    return (scope) => rawBoolean(parts.every((part) => isTrue(part(scope))));
  },
  $or: (operand, context) => {
    const parts = compileList(operand, context);
    return (scope) => rawBoolean(parts.some((part) => isTrue(part(scope))));
  },
  $ifNull: (operand, context) => {
    const parts = compileList(operand, context);
    if (parts.length < 2)
      throw new MongoError('Location1257300', `$ifNull needs at least two arguments, had: ${parts.length}`);
    const last = parts.pop();
    return (scope) => {
      for (const part of parts) {
        const value = part(scope);
        if (!isNullish(value)) return value;
      }
      return last?.(scope);
    };
  },
  $cond: (operand, context) => {
    if (Array.isArray(operand)) checkCount('$cond', operand.length, 3);
    const named = Array.isArray(operand) ? operand : namedOperand('$cond', operand, ['if', 'then', 'else']);
    const [test, then, otherwise] = compileList(
      Array.isArray(named) ? named : [named.if, named.then, named.else],
      context,
    );
    return (scope) => (isTrue(test?.(scope)) ? then : otherwise)?.(scope);
  },
  $switch: (operand, context) => {
    const { branches, default: other } = namedOperand('$switch', operand, ['branches'], ['default']);
    if (!Array.isArray(branches) || branches.length === 0)
      throw new MongoError('Location40068', '$switch requires at least one branch.');
    const compiled = branches.map((branch) => {
      const { case: test, then } = namedOperand('$switch', branch, ['case', 'then']);
      return { test: compileExpression(test, context), result: compileExpression(then, context) };
    });
    const fallback = other === undefined ? undefined : compileExpression(other, context);
    return (scope) => {
      const branch = compiled.find(({ test }) => isTrue(test(scope)));
      if (branch) return branch.result(scope);
      if (fallback) return fallback(scope);
      throw new MongoError(
        'Location40066',
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    };
  },
  $let: (operand, context) => {
    const { vars, in: body } = namedOperand('$let', operand, ['vars', 'in']);
    if (!isPlainObject(vars)) throw new MongoError('Location10065', 'invalid parameter: expected an object (vars)');
    const names = Object.keys(vars);
    const parts = compileList(Object.values(vars), context);
    const evaluate = compileExpression(body, withNames(context, names));
    return (scope) =>
      evaluate(withVariables(scope, Object.fromEntries(parts.map((part, i) => [names[i] ?? '', part(scope)]))));
  },
  $map: (operand, context) => {
    const { input, as = 'this', in: body } = namedOperand('$map', operand, ['input', 'in'], ['as']);
    const source = compileExpression(input, context);
    const evaluate = compileExpression(body, withNames(context, [as]));
    return (scope) => {
      const array = arrayInput('$map', 'Location16883', source(scope));
      return array ? arrayOf(array.map((item) => evaluate(withVariables(scope, { [as]: item })) ?? NULL)) : NULL;
    };
  },
  $filter: (operand, context) => {
    const { input, as = 'this', cond, limit } = namedOperand('$filter', operand, ['input', 'cond'], ['as', 'limit']);
    const source = compileExpression(input, context);
    const test = compileExpression(cond, withNames(context, [as]));
    const most = compileExpression(limit ?? null, context);
    return (scope) => {
      const array = arrayInput('$filter', 'Location28651', source(scope));
      if (!array) return NULL;
      const wanted = most(scope);
      const kept = array.filter((item) => isTrue(test(withVariables(scope, { [as]: item }))));
      return arrayOf(isNumeric(wanted) ? kept.slice(0, toNumber(wanted)) : kept);
    };
  },
  $reduce: (operand, context) => {
    const { input, initialValue, in: body } = namedOperand('$reduce', operand, ['input', 'initialValue', 'in']);
    const source = compileExpression(input, context);
    const first = compileExpression(initialValue, context);
    const evaluate = compileExpression(body, withNames(context, ['this', 'value']));
    return (scope) => {
      const array = arrayInput('$reduce', 'Location40080', source(scope));
      if (!array) return NULL;
      return array.reduce<Value>((value, item) => evaluate(withVariables(scope, { this: item, value })), first(scope));
    };
  },
  $getField: (operand, context) => {
    const named = isPlainObject(operand) && 'field' in operand ? operand : { field: operand };
    const { field, input } = namedOperand('$getField', { input: '$$ROOT', ...named }, ['field', 'input']);
    const [name, source] = compileList([field, input], context);
    return (scope) => {
      const text = textOf(name?.(scope));
      const document = source?.(scope);
      if (text === undefined)
        throw new MongoError('Location3041704', "$getField requires 'field' to evaluate to a string");
      if (isNullish(document)) return document && NULL;
      return document.type === bsonType.object
        ? findElement(document.buffer, document.start, Buffer.from(text))
        : undefined;
    };
  },
};

function withNames(context: ExpressionContext, names: readonly string[]): ExpressionContext {
  return { ...context, names: [...context.names, ...names] };
}

function withVariables(scope: Scope, added: Variables): Scope {
  return { root: scope.root, variables: { ...scope.variables, ...added } };
}

function arrayInput(name: string, code: `Location${number}`, value: Value): RawValue[] | undefined {
  if (isNullish(value)) return undefined;
  const array = itemsOf(value);
  if (!array) throw new MongoError(code, `input to ${name} must be an array not ${typeName(value)}`);
  return array;
}

/** An expression over a document, with variables that are known already; undefined when it has no value. */
export function evaluator(expression: unknown, variables: Variables, fold?: StringFold): (root: RawValue) => Value {
  const evaluate = compileExpression(expression, { names: Object.keys(variables), fold });
  return (root) => evaluate({ root, variables });
}

/** `$expr` as a predicate. */
export function expressionPredicate(variables: Variables, fold?: StringFold): (expression: unknown) => Predicate {
  return (expression) => {
    const evaluate = compileExpression(expression, { names: Object.keys(variables), fold });
    return (root) => isTrue(evaluate({ root, variables }));
  };
}

/** The `let` of a command, a `$lookup` or a `$merge`, evaluated on a document. */
export function variablesOf(definitions: unknown, document: RawValue, outer: Variables): Variables {
  if (!isPlainObject(definitions)) return outer;
  const own = Object.entries(definitions).map(([name, expression]) => [name, evaluator(expression, outer)(document)]);
  return { ...outer, ...Object.fromEntries(own) };
}

/** Variables whose values are no expressions: the `c` of an update. */
export function constants(values: unknown): Variables {
  return Object.fromEntries(
    Object.entries(isPlainObject(values) ? values : {}).map(([name, value]) => [name, toRaw(value)]),
  );
}
