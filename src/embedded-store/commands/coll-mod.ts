import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { compileFilter } from '../engine/matcher.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { collectionOptions, givenOptions, viewOptions } from './collections.ts';
import { type CommandTable, type Fields, namespaceOf } from './command.ts';
import { checkExpiry } from './index-spec.ts';
import { findIndex } from './indexes.ts';
import { acknowledge } from './write-results.ts';

const index: Fields = { name: 'string', keyPattern: 'object', expireAfterSeconds: 'number', hidden: 'flag' };

export const collModCommands: CommandTable = {
  collMod: {
    fields: { index, ...collectionOptions, ...viewOptions },
    async run(context) {
      const { engine, command } = context;
      const collection = engine.collection(context.operation, namespaceOf(context));
      if (!collection) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespaceOf(context)}`);
      const [allowed, others] = isView(collection)
        ? [viewOptions, { index, ...collectionOptions }]
        : [collectionOptions, viewOptions];
      const wrong = Object.keys(others).find((name) => command[name] !== undefined);
      if (wrong)
        throw new MongoError('InvalidOptions', `the option collMod.${wrong} is not for ${collection.namespace}`);
      if (command.pipeline) parsePipeline(command.pipeline);
      if (command.validator) compileFilter(command.validator);
      const reply = command.index ? changeIndex(collection, command.index) : {};
      engine.change((changes) => engine.catalog.modify(collection, givenOptions(command, allowed), changes));
      await acknowledge(context);
      return reply;
    },
  },
};

/** Changes `expireAfterSeconds` and `hidden`. @throws MongoError */
function changeIndex(collection: Collection, { name, keyPattern, ...changed }: Document): Document {
  const index = findIndex(collection, name ?? keyPattern);
  if (changed.expireAfterSeconds !== undefined) checkExpiry(changed.expireAfterSeconds, index.spec.key);
  const reply: Document = {};
  for (const [option, value] of Object.entries(changed)) {
    if (index.spec[option] !== undefined) reply[`${option}_old`] = index.spec[option];
    reply[`${option}_new`] = value;
  }
  index.spec = { ...index.spec, ...changed };
  return reply;
}
