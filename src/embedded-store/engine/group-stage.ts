// `$group`.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { type Accumulator, accumulators, type Create, MemoryUse } from './accumulators.ts';
import { DocumentWriter } from './document-writer.ts';
import { isOperatorObject, isPlainObject } from './matcher.ts';
import { type RawValue, wholeDocument } from './raw-bson.ts';
import { compile, forEach, inBatches, type Stage, type StageContext } from './stages.ts';
import { keyOf, NULL, type Value } from './values.ts';

/** An accumulator with the expressions that feed it. */
interface Output {
  name: string;
  value: (root: RawValue) => Value;
  create: Create;
}

interface Group {
  id: RawValue;
  /** In the order of the outputs. */
  accumulators: Accumulator[];
}

/** @throws MongoError for what is not an accumulator. */
function compileOutputs(fields: Document, context: StageContext): Output[] {
  return Object.entries(fields).map(([name, spec]) => {
    if (name.includes('.')) throw new MongoError('Location40235', `The field name '${name}' cannot contain '.'`);
    if (!isOperatorObject(spec))
      throw new MongoError('Location40234', `The field '${name}' must be an accumulator object`);
    const [[operator = '', operand] = [], ...others] = Object.entries('$count' in spec ? { $sum: 1 } : spec);
    if (others.length > 0) throw new MongoError('Location40238', `The field '${name}' must specify one accumulator`);
    const create = accumulators[operator];
    if (!create) throw new MongoError('Location15952', `unknown group operator '${operator}'`);
    if (Array.isArray(operand))
      throw new MongoError('Location40237', `The ${operator} accumulator is a unary operator`);
    return { name, value: compile(operand, context), create };
  });
}

export function group(operand: unknown, context: StageContext): Stage {
  if (!isPlainObject(operand)) throw new MongoError('Location15947', "a group's fields must be specified in an object");
  const { _id, ...fields } = operand;
  if (_id === undefined) throw new MongoError('Location15955', 'a group specification must include an _id');
  const idOf = compile(_id, context);
  const outputs = compileOutputs(fields, context);
  return async function* (input) {
    const memory = new MemoryUse('$group');
    const groups = new Map<string, Group>();
    const start = (id: RawValue): Group => ({
      id: memory.keep(id),
      accumulators: outputs.map(({ create }) => create(memory, context.fold)),
    });
    await forEach(input, (document) => {
      const root = wholeDocument(document);
      const id = idOf(root) ?? NULL;
      const key = keyOf(id, context.fold);
      const found = groups.get(key) ?? start(id);
      groups.set(key, found);
      for (const [i, { value }] of outputs.entries()) found.accumulators[i]?.add(value(root));
    });
    yield* inBatches(results(groups.values(), outputs));
  };
}

function* results(groups: Iterable<Group>, outputs: readonly Output[]): Generator<Buffer> {
  for (const { id, accumulators } of groups) {
    const writer = new DocumentWriter().add('_id', id);
    for (const [i, { name }] of outputs.entries()) writer.add(name, accumulators[i]?.result() ?? NULL);
    yield writer.finish();
  }
}
