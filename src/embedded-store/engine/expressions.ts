// The adapter to mingo: aggregation expressions and stages over decoded documents.
import type { Document } from 'bson';
import { Aggregator } from 'mingo';
import { MongoError } from '../errors.ts';
import type { Predicate } from './matcher.ts';
import {
  bsonType,
  DocumentWriter,
  decodePlain,
  elements,
  encode,
  findElement,
  type RawElement,
  rawDocument,
} from './raw-bson.ts';

export type Variables = Readonly<Record<string, unknown>>;

/** Runs stages that mingo has. @throws MongoError for what it does not know. */
export function runStages(documents: readonly Buffer[], stages: Document[], variables: Variables): Buffer[] {
  return guarded(() =>
    new Aggregator(plain(stages), { variables: { ...variables }, scriptEnabled: false })
      .run<Document>(documents.map(decodePlain))
      .map(encode),
  );
}

/** Evaluates an expression on a document; undefined when it has no value. */
export function evaluator(expression: unknown, variables: Variables): (document: Buffer) => unknown {
  const stages = plain([{ $replaceWith: { v: expression } }]);
  return (document) =>
    guarded(
      () =>
        new Aggregator(stages, { variables: { ...variables }, scriptEnabled: false }).run<Document>([
          decodePlain(document),
        ])[0]?.v,
    );
}

/** `$expr` as a predicate. */
export function expressionPredicate(variables: Variables): (expression: unknown) => Predicate {
  return (expression) => {
    const evaluate = evaluator(expression, variables);
    return (document) => {
      const value = evaluate(rawDocument(document));
      return value !== undefined && value !== null && value !== false && value !== 0;
    };
  };
}

/** Runs update stages over one document; what they do not change keeps its exact bytes. */
export function runUpdateStages(document: Buffer, stages: Document[], variables: Variables): Buffer {
  const allowed = ['$addFields', '$set', '$project', '$unset', '$replaceRoot', '$replaceWith'];
  for (const stage of stages) {
    const [name = ''] = Object.keys(stage);
    if (!allowed.includes(name))
      throw new MongoError('InvalidOptions', `${name} is not allowed to be used within an update`);
  }
  const [result] = runStages([document], stages, variables);
  if (!result) throw new MongoError('InternalError', 'an update pipeline gave no document');
  return keepTypes(result, document, encode(decodePlain(document)));
}

/** mingo sees plain numbers: where `result` has what `seen` had, the bytes come from `original`. */
function keepTypes(result: Buffer, original: Buffer, seen: Buffer): Buffer {
  const writer = new DocumentWriter();
  for (const element of elements(result)) {
    const name = Buffer.from(element.name);
    const before = findElement(original, 0, name);
    const shown = findElement(seen, 0, name);
    if (before && shown && shown.type === element.type && rawDocument(shown).equals(rawDocument(element)))
      writer.add(element.name, before);
    else if (before?.type === bsonType.object && shown && element.type === bsonType.object) {
      writer.addDocument(element.name, keepTypes(rawDocument(element), rawDocument(before), rawDocument(shown)));
    } else writer.add(element.name, element satisfies RawElement);
  }
  return writer.finish();
}

/** Constants of a pipeline as mingo expects them: numbers without wrappers. */
function plain(stages: Document[]): Document[] {
  return decodePlain(encode({ stages })).stages;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MongoError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /unregistered (?:pipeline|\w+)? ?operator '?(\$\w+)|unknown operator '?(\$\w+)/i.exec(message);
    if (unknown)
      throw new MongoError('InvalidPipelineOperator', `Unrecognized expression '${unknown[1] ?? unknown[2]}'`);
    throw new MongoError('BadValue', message);
  }
}

/** The `let` of a `$lookup` or `$merge`, evaluated on a document. */
export function variablesOf(definitions: Document | undefined, document: Buffer, outer: Variables): Variables {
  if (!definitions) return outer;
  const own = Object.entries(definitions).map(([name, expression]) => [name, evaluator(expression, outer)(document)]);
  return { ...outer, ...Object.fromEntries(own) };
}
