import type { Document } from 'bson';
import { nextTurn } from '../engine/engine.ts';
import { compileFilter, isPlainObject } from '../engine/matcher.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { planFor } from '../engine/query.ts';
import { Scan } from '../engine/scan.ts';
import { parseSort } from '../engine/sort.ts';
import { MongoError } from '../errors.ts';
import type { CommandContext, CommandTable } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';

/** Which index a query uses and what it looks at; of an aggregate, the stages that read the collection. */
export const explainCommands: CommandTable = {
  explain: {
    fields: { verbosity: 'string' },
    async run(context) {
      const inner: unknown = context.command.explain;
      if (!isPlainObject(inner)) throw new MongoError('TypeMismatch', "BSON field 'explain.explain' must be an object");
      return explain(context, inner, context.command.verbosity !== 'queryPlanner');
    },
  },
};

async function explain(context: CommandContext, command: Document, runs: boolean): Promise<Document> {
  const { engine, operation, database } = context;
  const [name = ''] = Object.keys(command);
  const { source, filter } = explained(name, command);
  const namespace = `${database}.${String(command[name])}`;
  const collection = engine.collection(context.operation, namespace);
  const query = queryRequest(source, filter, letVariables(command), collection);
  if (!collection)
    return {
      queryPlanner: { namespace, winningPlan: { stage: 'EOF' } },
      executionStats: { nReturned: 0, totalKeysExamined: 0, totalDocsExamined: 0 },
    };
  const sort = parseSort(query.sort ?? {}, query.text);
  const plan = planFor(engine, collection, { ...query, limit: Number(command.limit ?? 0) }, sort);
  const scan = new Scan(collection, plan, compileFilter(query.filter, query));
  let nReturned = 0;
  while (runs && !scan.done) {
    nReturned += scan.step(engine.view(operation), Number.POSITIVE_INFINITY).length;
    await nextTurn();
  }
  const access = plan.scans.map(({ index, ranges }) => ({
    stage: index?.text ? 'TEXT_MATCH' : index || plan.bounded ? 'IXSCAN' : 'COLLSCAN',
    indexName: index?.name ?? '_id_',
    direction: ranges[0]?.reverse ? 'backward' : 'forward',
  }));
  return {
    queryPlanner: {
      namespace,
      winningPlan: {
        stage: plan.sorted ? 'FETCH' : 'SORT',
        inputStage: access.length === 1 ? access[0] : { stage: 'OR', inputStages: access },
      },
    },
    ...(runs && {
      executionStats: {
        executionSuccess: true,
        nReturned,
        totalKeysExamined: scan.examined.keys,
        totalDocsExamined: scan.examined.documents,
      },
    }),
    serverInfo: { version: '8.0.0' },
  };
}

function explained(name: string, command: Document): { source: Document; filter: Document | undefined } {
  if (name === 'find') return { source: command, filter: command.filter };
  if (name === 'count' || name === 'distinct' || name === 'findAndModify')
    return { source: command, filter: command.query };
  if (name === 'aggregate') return leadingQuery(command);
  const [statement] = command[`${name}s`] ?? [];
  if ((name === 'update' || name === 'delete') && isPlainObject(statement?.q))
    return { source: statement, filter: statement.q };
  throw new MongoError('CommandNotSupported', `explain of ${name} is not supported`);
}

/** The part of a pipeline that reads the collection. */
function leadingQuery({ pipeline, ...command }: Document): { source: Document; filter: Document } {
  const stages = parsePipeline(pipeline);
  const end = stages.findIndex((stage) => !('$match' in stage));
  const filters = stages.slice(0, end < 0 ? stages.length : end).map((stage) => stage.$match);
  return { source: { ...command, sort: stages[filters.length]?.$sort }, filter: { $and: [{}, ...filters] } };
}
