import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandTable, documentField, namespaceOf, numberField } from './command.ts';
import { findIndex } from './indexes.ts';
import { acknowledge } from './write-results.ts';

const collectionOptions = ['validator', 'validationLevel', 'validationAction', 'changeStreamPreAndPostImages'];
const viewOptions = ['viewOn', 'pipeline'];

export const collModCommands: CommandTable = {
  collMod: {
    fields: ['index', ...collectionOptions, ...viewOptions],
    async run(context) {
      const { engine, command } = context;
      const collection = engine.collection(context.operation, namespaceOf(context));
      if (!collection) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespaceOf(context)}`);
      const [allowed, others] = isView(collection)
        ? [viewOptions, ['index', ...collectionOptions]]
        : [collectionOptions, viewOptions];
      const wrong = others.find((name) => command[name] !== undefined);
      if (wrong)
        throw new MongoError('InvalidOptions', `the option collMod.${wrong} is not for ${collection.namespace}`);
      if (command.pipeline) parsePipeline(command.pipeline);
      const reply = command.index ? changeIndex(collection, documentField(command, 'index', 'collMod')) : {};
      const given = allowed.filter((name) => command[name] !== undefined).map((name) => [name, command[name]]);
      engine.change((changes) => engine.catalog.modify(collection, Object.fromEntries(given), changes));
      await acknowledge(context);
      return reply;
    },
  },
};

/** `expireAfterSeconds` and `hidden`; anything else would be another index. @throws MongoError */
function changeIndex(collection: Collection, { name, keyPattern, ...changed }: Document): Document {
  const index = findIndex(collection, name ?? keyPattern);
  numberField(changed, 'expireAfterSeconds', 'collMod.index', 0);
  const reply: Document = {};
  for (const [option, value] of Object.entries(changed)) {
    if (option !== 'expireAfterSeconds' && option !== 'hidden')
      throw new MongoError('InvalidOptions', `the option collMod.index.${option} is not supported`);
    if (index.spec[option] !== undefined) reply[`${option}_old`] = index.spec[option];
    reply[`${option}_new`] = value;
  }
  index.spec = { ...index.spec, ...changed };
  return reply;
}
