// The score of a text search on its way through a pipeline: a field that the stages carry, and that the last one removes.
import type { Document } from 'bson';
import { isOperatorObject, isPlainObject } from './matcher.ts';
import type { DocumentSource } from './query.ts';
import { checkMeta, isMeta, type TextSearch, withScore } from './text-index.ts';

const FIELD = '__textScore';

/**
 * The documents of a search with their scores, and the stages that read them; both as they were if none does.
 * @throws MongoError when a stage reads a score that is not there.
 */
export function withScores(
  source: DocumentSource,
  stages: Document[],
  text: TextSearch | undefined,
): { source: DocumentSource; rest: Document[] } {
  let isRead = false;
  const read = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(read);
    if (!isPlainObject(value)) return value;
    if (!isMeta(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, read(inner)]));
    checkMeta(value, text);
    isRead = true;
    return `$${FIELD}`;
  };
  const rest = stages.map((stage) => keepScore(read(stage) as Document));
  if (!text || !isRead) return { source, rest: stages };
  const scored: DocumentSource = {
    take: async (operation, limit) => {
      const matches = await source.take(operation, limit);
      return matches.map((match) => ({ ...match, document: withScore(match.document, FIELD, text, match.document) }));
    },
    get done() {
      return source.done;
    },
  };
  return { source: scored, rest: [...rest, { $unset: FIELD }] };
}

/** A sort by the score is one by the field; a projection that lists what it keeps keeps it too. */
function keepScore({ $sort, $project, ...stage }: Document): Document {
  if ($sort) {
    const parts = Object.entries($sort).map(([name, by]) => (by === `$${FIELD}` ? [FIELD, -1] : [name, by]));
    return { $sort: Object.fromEntries(parts) };
  }
  if (!$project) return stage;
  const keeps = (shown: unknown): boolean => isOperatorObject(shown) || (!isPlainObject(shown) && Number(shown) !== 0);
  const lists = Object.values($project).some(keeps);
  return { $project: lists ? { ...$project, [FIELD]: 1 } : $project };
}
