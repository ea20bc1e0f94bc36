// `$group`.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { type Accumulator, accumulators, MemoryUse } from './accumulators.ts';
import { DocumentWriter } from './document-writer.ts';
import { isOperatorObject, isPlainObject } from './matcher.ts';
import { type RawValue, wholeDocument } from './raw-bson.ts';
import { compile, forEach, inBatches, type Stage, type StageContext } from './stages.ts';
import { keyOf, NULL, type Value } from './values.ts';

/** An accumulator with the expressions that feed it. */
interface Output {
  name: string;
  value: (root: RawValue) => Value;
  create: (memory: MemoryUse) => Accumulator;
}

/** @throws MongoError for what is not an accumulator. */
function compileOutputs(fields: Document, context: StageContext): Output[] {
  return Object.entries(fields).map(([name, spec]) => {
    if (name.includes('.')) throw new MongoError('Location40235', `The field name '${name}' cannot contain '.'`);
    if (!isOperatorObject(spec))
      throw new MongoError('Location40234', `The field '${name}' must be an accumulator object`);
    const [[operator = '', operand] = [], ...others] = Object.entries('$count' in spec ? { $sum: 1 } : spec);
    if (others.length > 0) throw new MongoError('Location40238', `The field '${name}' must specify one accumulator`);
    const accumulator = accumulators[operator];
    if (!accumulator) throw new MongoError('Location15952', `unknown group operator '${operator}'`);
    if (Array.isArray(operand))
      throw new MongoError('Location40237', `The ${operator} accumulator is a unary operator`);
    return {
      name,
      value: compile(operand, context),
      create: (memory: MemoryUse) => accumulator(memory, context.fold),
    };
  });
}

/** The accumulators of one group. */
interface Group {
  add(root: RawValue): void;
  result(): Buffer;
}

function startGroup(id: RawValue, outputs: readonly Output[], memory: MemoryUse): Group {
  const fields = outputs.map((output) => ({ ...output, accumulator: output.create(memory) }));
  return {
    add: (root) => {
      for (const { accumulator, value } of fields) accumulator.add(value(root));
    },
    result: () => {
      const writer = new DocumentWriter().add('_id', id);
      for (const { name, accumulator } of fields) writer.add(name, accumulator.result() ?? NULL);
      return writer.finish();
    },
  };
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
    await forEach(input, (document) => {
      const root = wholeDocument(document);
      const id = idOf(root) ?? NULL;
      const key = keyOf(id, context.fold);
      const found = groups.get(key) ?? startGroup(memory.keep(id), outputs, memory);
      groups.set(key, found);
      found.add(root);
    });
    yield* inBatches(results(groups.values()));
  };
}

function* results(groups: Iterable<Group>): Generator<Buffer> {
  for (const group of groups) yield group.result();
}
