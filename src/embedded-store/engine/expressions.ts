// Aggregation expressions, compiled once and evaluated over raw documents, so that values keep their exact types.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { getAt } from './document-paths.ts';
import { arrayOf, documentOf } from './document-writer.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject, type Predicate } from './matcher.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { array, type Code, checkCount, namedOperand, type Operator } from './operator.ts';
import { operators } from './operators.ts';
import { checkFieldPath, items, parsePath } from './paths.ts';
import { bsonType, findElement, isNullish, type RawValue, textOf, toRaw } from './raw-bson.ts';
import { isTrue, NULL, rawBoolean, type Value } from './values.ts';

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
function compileExpression(expression: unknown, context: ExpressionContext): Evaluate {
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
  const parts = compileFields(expression, context);
  return (scope) => documentOf(parts.map(([name, part]) => [name, part(scope)]));
}

function compilePath(text: string, { names }: ExpressionContext): Evaluate {
  if (text === '$' || text === '$$')
    throw new MongoError('Location16872', `'${text}' by itself is not a valid FieldPath`);
  const [variable = '', ...fields] = text.startsWith('$$')
    ? text.slice(2).split('.')
    : ['ROOT', ...text.slice(1).split('.')];
  const path = fields.join('.');
  if (fields.length > 0) checkFieldPath(path);
  const parts = fields.length > 0 ? parsePath(path).parts : [];
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
  if (!operator) throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
  const parts = compileArguments(name, operator, operand, context);
  return (scope) =>
    operator.apply(
      parts.map((part) => part?.(scope)),
      context.fold,
    );
}

function compileArguments(
  name: string,
  { takes, fields }: Operator,
  operand: unknown,
  context: ExpressionContext,
): (Evaluate | undefined)[] {
  const isNamed = isPlainObject(operand) && !Object.keys(operand)[0]?.startsWith('$');
  if (fields && (isNamed || !takes)) {
    const given = namedOperand(name, operand, fields);
    const operands = fields.map((field) => given[field.replace('?', '')]);
    return operands.map((each) => (each === undefined ? undefined : compileExpression(each, context)));
  }
  const parts = compileList(operand, context);
  if (takes) checkCount(name, parts.length, takes);
  return parts;
}

function compileList(operand: unknown, context: ExpressionContext): Evaluate[] {
  return (Array.isArray(operand) ? operand : [operand]).map((part) => compileExpression(part, context));
}

function compileFields(fields: Document, context: ExpressionContext): [name: string, part: Evaluate][] {
  return Object.entries(fields).map(([name, part]) => [name, compileExpression(part, context)]);
}

/** An operator that decides itself what of its operand is evaluated, and with which variables. */
type Form = (operand: unknown, context: ExpressionContext) => Evaluate;

/** Evaluates until one of its operands decides. */
function logical(neutral: boolean): Form {
  return (operand, context) => {
    const parts = compileList(operand, context);
    return (scope) => rawBoolean(parts.some((part) => isTrue(part(scope)) !== neutral) !== neutral);
  };
}

const forms: Readonly<Record<string, Form>> = {
  $literal: constant,
  $and: logical(true),
  $or: logical(false),
  $ifNull: (operand, context) => {
    const parts = compileList(operand, context);
    if (parts.length < 2)
      throw new MongoError('Location1257300', `$ifNull needs at least two arguments, had: ${parts.length}`);
    return (scope) => {
      let value: Value;
      for (const part of parts) {
        value = part(scope);
        if (!isNullish(value)) break;
      }
      return value;
    };
  },
  $cond: (operand, context) => {
    if (Array.isArray(operand)) checkCount('$cond', operand.length, [3, 3]);
    const fields = ['if', 'then', 'else'];
    const named = Array.isArray(operand) ? undefined : namedOperand('$cond', operand, fields);
    const [test, then, otherwise] = compileList(named ? fields.map((field) => named[field]) : operand, context);
    return (scope) => (isTrue(test?.(scope)) ? then : otherwise)?.(scope);
  },
  $switch: (operand, context) => {
    const { branches, default: other } = namedOperand('$switch', operand, ['branches', 'default?']);
    if (!Array.isArray(branches) || branches.length === 0)
      throw new MongoError('Location40068', '$switch requires at least one branch.');
    const compiled = branches.map((branch) => {
      const { case: test, then } = namedOperand('$switch', branch, ['case', 'then']);
      return { test: compileExpression(test, context), result: compileExpression(then, context) };
    });
    const fallback = other === undefined ? undefined : compileExpression(other, context);
    return (scope) => {
      const result = compiled.find(({ test }) => isTrue(test(scope)))?.result ?? fallback;
      if (result) return result(scope);
      throw new MongoError(
        'Location40066',
        '$switch could not find a matching branch for an input, and no default was specified.',
      );
    };
  },
  $let: (operand, context) => {
    const { vars, in: body } = namedOperand('$let', operand, ['vars', 'in']);
    if (!isPlainObject(vars)) throw new MongoError('Location10065', 'invalid parameter: expected an object (vars)');
    const parts = compileFields(vars, context);
    const evaluate = compileExpression(body, withNames(context, Object.keys(vars)));
    return (scope) =>
      evaluate(withVariables(scope, Object.fromEntries(parts.map(([name, part]) => [name, part(scope)]))));
  },
  $map: (operand, context) => {
    const { input, as = 'this', in: body } = namedOperand('$map', operand, ['input', 'as?', 'in']);
    const evaluate = compileExpression(body, withNames(context, [as]));
    return overArray('$map', 'Location16883', compileExpression(input, context), (values, scope) =>
      arrayOf(values.map((item) => evaluate(withVariables(scope, { [as]: item })) ?? NULL)),
    );
  },
  $filter: (operand, context) => {
    const fields = ['input', 'as?', 'cond', 'limit?'];
    const { input, as = 'this', cond, limit = null } = namedOperand('$filter', operand, fields);
    const test = compileExpression(cond, withNames(context, [as]));
    const most = compileExpression(limit, context);
    return overArray('$filter', 'Location28651', compileExpression(input, context), (values, scope) => {
      const wanted = most(scope);
      const kept = values.filter((item) => isTrue(test(withVariables(scope, { [as]: item }))));
      return arrayOf(isNumeric(wanted) ? kept.slice(0, toNumber(wanted)) : kept);
    });
  },
  $reduce: (operand, context) => {
    const { input, initialValue, in: body } = namedOperand('$reduce', operand, ['input', 'initialValue', 'in']);
    const first = compileExpression(initialValue, context);
    const evaluate = compileExpression(body, withNames(context, ['this', 'value']));
    return overArray('$reduce', 'Location40080', compileExpression(input, context), (values, scope) =>
      values.reduce<Value>((value, item) => evaluate(withVariables(scope, { this: item, value })), first(scope)),
    );
  },
  $getField: (operand, context) => {
    const isNamed = isPlainObject(operand) && 'field' in operand;
    const { field, input = '$$ROOT' } = namedOperand('$getField', isNamed ? operand : { field: operand }, GET_FIELD);
    const [name, source] = compileList([field, input], context);
    return (scope) => {
      const text = textOf(name?.(scope));
      const document = source?.(scope);
      if (text === undefined)
        throw new MongoError('Location3041704', "$getField requires 'field' to evaluate to a string");
      if (isNullish(document)) return document && NULL;
      return getAt(document, [text]);
    };
  },
};

const GET_FIELD = ['field', 'input?'];

/** What `work` makes of the elements of an array; null when there is none. */
function overArray(
  name: string,
  code: Code,
  input: Evaluate,
  work: (values: RawValue[], scope: Scope) => Value,
): Evaluate {
  return (scope) => {
    const value = input(scope);
    return isNullish(value) ? NULL : work(array(name, code, value), scope);
  };
}

function withNames(context: ExpressionContext, names: readonly string[]): ExpressionContext {
  return { ...context, names: [...context.names, ...names] };
}

function withVariables(scope: Scope, added: Variables): Scope {
  return { root: scope.root, variables: { ...scope.variables, ...added } };
}

/** An expression over a document, with variables that are known already; undefined when it has no value. */
export function evaluator(expression: unknown, variables: Variables, fold?: StringFold): (root: RawValue) => Value {
  const evaluate = compileExpression(expression, { names: Object.keys(variables), fold });
  return (root) => evaluate({ root, variables });
}

/** `$expr` as a predicate. */
export function expressionPredicate(variables: Variables, fold?: StringFold): (expression: unknown) => Predicate {
  return (expression) => {
    const evaluate = evaluator(expression, variables, fold);
    return (root) => isTrue(evaluate(root));
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
