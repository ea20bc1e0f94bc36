// Stages that run in mingo, over decoded documents whose numbers are plain; stored values that they do not set stay as
// they are.
import type { Document } from 'bson';
import { Aggregator } from 'mingo';
import { MemoryUse } from './accumulators.ts';
import { setAt } from './document-paths.ts';
import { wholeDocument } from './indexes.ts';
import { isPlainObject } from './matcher.ts';
import { guarded } from './mingo-operators.ts';
import { decodePlain, encode, toRaw } from './raw-bson.ts';
import { forEach, inBatches, type Stage } from './stages.ts';

/** By which a document that has gone through mingo is known again. */
const PLACE = '\u0001place';

export function mingoStage(name: string, operand: unknown): Stage {
  const stages = decodePlain(encode({ stages: [{ [name]: operand }] })).stages;
  const set = isPlainObject(operand) && isPlainObject(operand.output) ? Object.keys(operand.output) : [];
  return async function* (input) {
    const memory = new MemoryUse(name);
    const documents: Buffer[] = [];
    await forEach(input, (document) => {
      memory.use(document.length);
      documents.push(document);
    });
    const decoded = documents.map((document, place) => ({ ...decodePlain(document), [PLACE]: place }));
    const results = guarded(() => new Aggregator(stages, { scriptEnabled: false }).run<Document>(decoded));
    yield* inBatches(results.map((result) => restored(documents[result[PLACE]], result, set)));
  };
}

function restored(document: Buffer | undefined, result: Document, set: readonly string[]): Buffer {
  if (!document) return encode(result);
  return set.reduce((current, path) => {
    const names = path.split('.');
    const value = names.reduce((inner, part) => inner?.[part], result);
    return setAt(wholeDocument(current), names, value === undefined ? undefined : toRaw(value));
  }, document);
}
