// Projections of find: fields are copied as bytes, so included values keep their exact types.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { setAt } from './document-paths.ts';
import { arrayOf, DocumentWriter } from './document-writer.ts';
import type { MatchContext } from './matcher.ts';
import { documentNode, getPath, nodeOf, rawOf, setPath, toDocument } from './mutable-document.ts';
import { items } from './paths.ts';
import { matchedItem } from './positional.ts';
import { type ParsedProjection, type ProjectedNode, parseProjection } from './projection-spec.ts';
import { bsonType, elements, findElement, type RawValue, wholeDocument } from './raw-bson.ts';

export type Projection = (document: Buffer) => Buffer;
type Evaluate = (document: RawValue) => RawValue | undefined;

export interface ProjectionContext extends MatchContext {
  /** Compiles an aggregation expression; undefined means that the field is absent. */
  compile: (expression: unknown) => Evaluate;
  /** What the documents were found by, for a positional projection. */
  filter: Document;
}

/** @throws MongoError for what MongoDB refuses too. */
export function compileProjection(spec: Document, context: ProjectionContext): Projection | undefined {
  if (Object.keys(spec).length === 0) return undefined;
  const { root, including, computed, matches, positional } = parseProjection(spec, context);
  const values = computed.map(({ path, expression }) => ({ path, evaluate: context.compile(expression) }));
  return (document) => {
    const source = positional === undefined ? document : cutPositional(document, positional, context);
    let projected = addMatches(project(wholeDocument(source), root, including), document, matches);
    for (const { path, evaluate } of values)
      projected = setAt(wholeDocument(projected), path, evaluate(wholeDocument(document)));
    return projected;
  };
}

function project(value: RawValue, node: ProjectedNode, including: boolean): Buffer {
  const writer = new DocumentWriter();
  for (const element of elements(value.buffer, value.start)) {
    const child = node.children.get(element.name);
    if (!child) {
      if (!including) writer.add(element.name, element);
      continue;
    }
    const kept = projectField(element, child, including);
    if (kept) writer.add(element.name, kept);
  }
  return writer.finish();
}

function projectField(value: RawValue, node: ProjectedNode, including: boolean): RawValue | undefined {
  if (node.apply === 'include') return value;
  if (node.apply === 'exclude' || node.apply === 'compute') return undefined;
  if (node.apply) return node.apply(value);
  if (value.type === bsonType.object) return wholeDocument(project(value, node, including));
  if (value.type !== bsonType.array) return including ? undefined : value;
  const alone = (item: RawValue): RawValue | undefined =>
    node.computes ? emptyDocument : including ? undefined : item;
  const kept = [...items(value)].map((item) =>
    item.type === bsonType.object || item.type === bsonType.array ? projectField(item, node, including) : alone(item),
  );
  return arrayOf(kept.filter((item) => item !== undefined));
}

const emptyDocument = wholeDocument(new DocumentWriter().finish());

function addMatches(projected: Buffer, document: Buffer, matches: ParsedProjection['matches']): Buffer {
  if (matches.length === 0) return projected;
  const writer = new DocumentWriter().addAll(projected);
  for (const { name, apply } of matches) {
    const value = findElement(document, 0, Buffer.from(name));
    const match = value && apply(value);
    if (match) writer.add(name, match);
  }
  return writer.finish();
}

function cutPositional(document: Buffer, path: string, context: ProjectionContext): Buffer {
  const index = matchedItem(document, path, context.filter, context);
  if (index === undefined) return document;
  if (index < 0) throw new MongoError('Location51246', `positional operator '.$' couldn't find a matching element`);
  const root = documentNode(document);
  const names = path.split('.');
  const item = getPath(root, [...names, String(index)]);
  setPath(root, names, nodeOf(arrayOf(item ? [rawOf(item)] : [])));
  return toDocument(root);
}
