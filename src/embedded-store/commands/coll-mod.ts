import type { Document } from 'bson';
import type { Index } from '../engine/indexes.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandTable, documentField, namespaceOf } from './command.ts';
import { findIndex } from './indexes.ts';
import { acknowledge } from './write-results.ts';

const options = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages'];

export const collModCommands: CommandTable = {
  collMod: {
    fields: ['index', 'viewOn', 'pipeline', ...options],
    async run(context) {
      const { engine, command } = context;
      const collection = engine.collection(context.operation, namespaceOf(context));
      if (!collection) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespaceOf(context)}`);
      const names = isView(collection) ? ['viewOn', 'pipeline'] : options;
      const given = [...options, 'index', 'viewOn', 'pipeline'].filter((name) => command[name] !== undefined);
      const wrong = given.find((name) => name !== 'index' && !names.includes(name));
      if (wrong) throw new MongoError('InvalidOptions', `the option collMod.${wrong} is not supported here`);
      if (command.pipeline) parsePipeline(command.pipeline);
      const change = documentField(command, 'index', 'collMod');
      const reply = command.index ? changeIndex(findIndex(collection, change.name ?? change.keyPattern), change) : {};
      const changed = Object.fromEntries(given.filter((name) => name !== 'index').map((name) => [name, command[name]]));
      engine.change((changes) => engine.catalog.modify(collection, changed, changes));
      await acknowledge(context);
      return reply;
    },
  },
};

/** `expireAfterSeconds` and `hidden`; anything else would be another index. @throws MongoError */
function changeIndex(index: Index, change: Document): Document {
  const { name: _, keyPattern: __, ...changed } = change;
  const reply: Document = {};
  for (const [option, value] of Object.entries(changed)) {
    if (option !== 'expireAfterSeconds' && option !== 'hidden')
      throw new MongoError('InvalidOptions', `the option collMod.index.${option} is not supported`);
    const old: unknown = index.spec[option];
    if (old !== undefined) reply[`${option}_old`] = old;
    reply[`${option}_new`] = value;
  }
  if (!isPlainObject(change) || Object.keys(reply).length === 0)
    throw new MongoError('InvalidOptions', 'no expireAfterSeconds or hidden field');
  index.spec = { ...index.spec, ...changed };
  return reply;
}
