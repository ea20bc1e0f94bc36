import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { nextTurn } from '../engine/engine.ts';
import { leadingQuery } from '../engine/leading-query.ts';
import { compileFilter, isPlainObject } from '../engine/matcher.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { planFor, type QueryRequest } from '../engine/query.ts';
import { Scan } from '../engine/scan.ts';
import { parseSort } from '../engine/sort.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, integer } from './command.ts';
import { foldOf, hintOf, letVariables, queryRequest } from './query-request.ts';

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
  const namespace = `${database}.${String(command[name])}`;
  const collection = engine.collection(context.operation, namespace);
  const query = queryOf(name, command, collection);
  if (!collection)
    return {
      queryPlanner: { namespace, winningPlan: { stage: 'EOF' } },
      executionStats: { nReturned: 0, totalKeysExamined: 0, totalDocsExamined: 0 },
    };
  const sort = parseSort(query.sort ?? {}, query.text);
  const plan = planFor(engine, collection, query, sort);
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

function queryOf(name: string, command: Document, collection: Collection | undefined): QueryRequest {
  const variables = letVariables(command);
  if (name === 'find')
    return { ...queryRequest(command, command.filter, variables, collection), limit: integer(command.limit, 0) };
  if (name === 'count' || name === 'distinct' || name === 'findAndModify')
    return queryRequest(command, command.query, variables, collection);
  if (name === 'aggregate') {
    const context = { fold: foldOf(command, collection), hint: hintOf(command), variables };
    return leadingQuery(parsePipeline(command.pipeline), collection, context).request;
  }
  const [statement] = command[`${name}s`] ?? [];
  if ((name === 'update' || name === 'delete') && isPlainObject(statement?.q))
    return queryRequest(statement, statement.q, variables, collection);
  throw new MongoError('CommandNotSupported', `explain of ${name} is not supported`);
}
