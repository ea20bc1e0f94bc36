// What a projection says, as a tree of its paths, with MongoDB's rules for what may stand together.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { arrayOf, documentOf } from './document-writer.ts';
import {
  compileFilter,
  isOperatorObject,
  isPlainObject,
  type MatchContext,
  type Predicate,
  rootNames,
} from './matcher.ts';
import { isNumber } from './matcher-tests.ts';
import { checkFieldPath, items } from './paths.ts';
import { bsonType, type RawValue } from './raw-bson.ts';

export interface ProjectedNode {
  children: Map<string, ProjectedNode>;
  /** What happens at the end of a path; absent on inner nodes. */
  apply?: 'include' | 'exclude' | 'compute' | ((value: RawValue) => RawValue | undefined);
  /** Something below is computed: what is no document becomes one. */
  computes?: boolean;
}

export interface ParsedProjection {
  root: ProjectedNode;
  including: boolean;
  computed: { path: string[]; expression: unknown }[];
  /** The `$elemMatch` of an inclusion, which gives them after the fields that are there. */
  matches: ElementMatch[];
  /** The array of a positional projection. */
  positional: string | undefined;
}

interface ElementMatch {
  name: string;
  apply: (value: RawValue) => RawValue | undefined;
}

interface SpecContext extends MatchContext {
  /** What the documents were found by, for a positional projection. */
  filter: Document;
}

type Mode = 'include' | 'exclude';

/** A projection while its fields are read. */
interface Draft extends Omit<ParsedProjection, 'including'> {
  mode: Mode | undefined;
  hasSlice: boolean;
}

/** @throws MongoError for what MongoDB refuses too. */
export function parseProjection(spec: Document, context: SpecContext): ParsedProjection {
  const draft: Draft = {
    root: { children: new Map() },
    computed: [],
    matches: [],
    positional: undefined,
    mode: undefined,
    hasSlice: false,
  };
  for (const [name, value] of flatten(spec)) addField(draft, name, value, context);
  const { root, computed, matches, positional } = draft;
  const including = isIncluding(draft);
  const id = root.children.get('_id');
  if (including && !id) root.children.set('_id', { children: new Map(), apply: 'include' });
  if (!including && id?.apply === 'include') root.children.delete('_id');
  for (const { name, apply } of matches) addPath(root, name, including ? 'exclude' : apply);
  return { root, including, computed, matches: including ? matches : [], positional };
}

/** What a projection without a plain field is, as in MongoDB: `_id` and the operators decide. */
function isIncluding({ mode, root, matches, hasSlice }: Draft): boolean {
  if (mode !== undefined) return mode === 'include';
  if (matches.length > 0 && !hasSlice) return true;
  return root.children.get('_id')?.apply === 'include';
}

function addField(draft: Draft, name: string, value: unknown, context: SpecContext): void {
  const { root } = draft;
  const at = name.split('.').indexOf('$');
  if (at >= 0 && name !== '$') {
    addPositional(draft, name, at, value, context.filter);
    return;
  }
  checkFieldPath(name);
  if (isPlainObject(value) && '$slice' in value && isSliceOfFind(value.$slice)) {
    draft.hasSlice = true;
    addPath(root, name, sliceOf(value.$slice));
  } else if (isPlainObject(value) && '$elemMatch' in value) {
    if (!isPlainObject(value.$elemMatch))
      throw new MongoError('Location31274', 'elemMatch: Invalid argument, object required');
    if (draft.positional !== undefined)
      throw new MongoError('Location31255', 'Cannot specify positional operator and $elemMatch.');
    if (name.includes('.'))
      throw new MongoError('Location31275', 'Cannot use $elemMatch projection on a nested field.');
    draft.matches.push({ name, apply: firstMatch(compileFilter({ v: value }, { fold: context.fold })) });
  } else if (isSwitch(value)) {
    const mode = Number(value) ? 'include' : 'exclude';
    if (name !== '_id') chooseMode(draft, mode, name);
    addPath(root, name, mode);
  } else {
    if (draft.mode === 'exclude')
      throw isPlainObject(value)
        ? new MongoError('Location31252', 'Cannot use expression other than $meta in exclusion projection')
        : new MongoError('Location31310', `Cannot use an expression ${name} in an exclusion projection`);
    draft.mode = 'include';
    addPath(root, name, 'compute');
    draft.computed.push({ path: name.split('.'), expression: value });
  }
}

function chooseMode(draft: Draft, mode: Mode, name: string): void {
  if (draft.mode !== undefined && draft.mode !== mode)
    throw mode === 'exclude'
      ? new MongoError('Location31254', `Cannot do exclusion on field ${name} in inclusion projection`)
      : new MongoError('Location31253', `Cannot do inclusion on field ${name} in exclusion projection`);
  draft.mode = mode;
}

function addPositional(draft: Draft, name: string, at: number, value: unknown, filter: Document): void {
  const parts = name.split('.');
  if (isPlainObject(value))
    throw new MongoError('Location31271', 'positional projection cannot be used with an expression or sub object');
  if (!isSwitch(value)) throw new MongoError('Location31308', 'positional projection cannot be used with a literal');
  if (!Number(value)) throw new MongoError('Location31395', 'positional projection cannot be used with exclusion');
  if (at !== parts.length - 1)
    throw new MongoError('Location31394', 'Positional projection may only be used at the end, for example: a.b.$.');
  if (draft.positional !== undefined)
    throw new MongoError('Location31276', 'Cannot specify more than one positional projection per query.');
  if (draft.matches.length > 0)
    throw new MongoError('Location31256', 'Cannot specify positional operator and $elemMatch.');
  const path = parts.slice(0, at).join('.');
  checkFieldPath(path);
  if (!rootNames(filter).includes(parts[0] ?? ''))
    throw new MongoError('Location31277', `Positional projection '${name}' does not match the query document.`);
  chooseMode(draft, 'include', name);
  draft.positional = path;
  addPath(draft.root, path, 'include');
}

/** `{ a: { b: 1 } }` means `{ 'a.b': 1 }`; an object with one operator is an expression. */
export function flatten(spec: Document, prefix = ''): [string, unknown][] {
  return Object.entries(spec).flatMap(([name, value]): [string, unknown][] => {
    const path = prefix + name;
    if (!isPlainObject(value) || (isOperatorObject(value) && Object.keys(value).length === 1)) return [[path, value]];
    if (Object.keys(value).length === 0)
      throw new MongoError('Location51270', `An empty sub-projection is not a valid value: ${path}`);
    return flatten(value, `${path}.`);
  });
}

function isSwitch(value: unknown): boolean {
  return typeof value === 'boolean' || isNumber(value);
}

function isSliceOfFind(value: unknown): boolean {
  if (!Array.isArray(value)) {
    if (isNumber(value)) return true;
    throw new MongoError('Location28667', '$slice only supports numbers and [skip, limit] arrays');
  }
  if (value.length < 2 || value.length > 3)
    throw new MongoError('Location28667', '$slice array argument should be of form [skip, limit]');
  if (value.length === 3 || !value.every(isNumber)) return false;
  if (!(Number(value[1]) > 0))
    throw new MongoError('Location28724', `First argument to $slice must be an array, but is of type: int`);
  return true;
}

function addPath(root: ProjectedNode, path: string, apply: NonNullable<ProjectedNode['apply']>): void {
  let node = root;
  for (const part of path.split('.')) {
    if (node.apply) throw new MongoError('Location31249', `Path collision at ${path}`);
    let child = node.children.get(part);
    if (!child) {
      child = { children: new Map() };
      node.children.set(part, child);
    }
    node = child;
    if (apply === 'compute') node.computes = true;
  }
  if (node.apply || node.children.size > 0) throw new MongoError('Location31250', `Path collision at ${path}`);
  node.apply = apply;
}

function sliceOf(operand: unknown): (value: RawValue) => RawValue {
  const [skip, count] = Array.isArray(operand) ? operand.map(Number) : [undefined, Number(operand)];
  return (value) => {
    if (value.type !== bsonType.array) return value;
    const all = [...items(value)];
    const from = skip ?? Math.min(0, count ?? 0);
    const start = from < 0 ? Math.max(0, all.length + from) : from;
    return arrayOf(all.slice(start, start + Math.abs(count ?? 0)));
  };
}

function firstMatch(predicate: Predicate): (value: RawValue) => RawValue | undefined {
  return (value) => {
    if (value.type !== bsonType.array) return undefined;
    for (const item of items(value)) {
      const array = arrayOf([item]);
      if (predicate(documentOf([['v', array]]))) return array;
    }
    return undefined;
  };
}
