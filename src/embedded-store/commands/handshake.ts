import { setTimeout } from 'node:timers/promises';
import { type Document, Long, ObjectId } from 'bson';
import { MongoError } from '../errors.ts';
import type { Command, CommandContext, CommandTable } from './command.ts';

/** The server version whose behaviour is followed, and the wire version that goes with it. */
const VERSION = '8.0.0';
const MAX_WIRE_VERSION = 25;
const REPLICA_SET = 'embedded';

/** Which start of the server this is; nothing else of what `hello` says ever changes. */
const TOPOLOGY_VERSION = { processId: new ObjectId(), counter: Long.ZERO };
const AWAIT_AT_MOST_MS = 10_000;

/** The client has been here since this start and waits for news. What it learns is the end of its connection, at once. */
function awaitsNews({ topologyVersion }: Document): boolean {
  return TOPOLOGY_VERSION.processId.equals(topologyVersion?.processId);
}

async function hello({ connectionId, command, engine, name }: CommandContext): Promise<Document> {
  if ((command.topologyVersion == null) !== (command.maxAwaitTimeMS == null))
    throw new MongoError('Location31368', 'topologyVersion and maxAwaitTimeMS go together');
  if (awaitsNews(command))
    await setTimeout(Math.min(Number(command.maxAwaitTimeMS), AWAIT_AT_MOST_MS), undefined, { ref: false });
  const me = engine.address;
  return {
    helloOk: true,
    [name === 'hello' ? 'isWritablePrimary' : 'ismaster']: true,
    secondary: false,
    hosts: [me],
    me,
    primary: me,
    setName: REPLICA_SET,
    setVersion: 1,
    maxBsonObjectSize: 16 * 1024 * 1024,
    maxMessageSizeBytes: 48_000_000,
    maxWriteBatchSize: 100_000,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: 30,
    connectionId,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
    topologyVersion: TOPOLOGY_VERSION,
    ...(command.saslSupportedMechs !== undefined && { saslSupportedMechs: [] }),
  };
}

const handshake: Command = {
  fields: {
    client: 'any',
    compression: 'any',
    saslSupportedMechs: 'any',
    speculativeAuthenticate: 'any',
    topologyVersion: 'object',
    maxAwaitTimeMS: 'count',
    loadBalanced: 'any',
    backpressure: 'any',
  },
  streams: awaitsNews,
  run: hello,
};

export const handshakeCommands: CommandTable = {
  hello: handshake,
  isMaster: handshake,
  ismaster: handshake,
  ping: { fields: {}, run: () => ({}) },
  buildInfo: { fields: {}, run: buildInfo },
  buildinfo: { fields: {}, run: buildInfo },
  connectionStatus: {
    fields: { showPrivileges: 'any' },
    run: () => ({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } }),
  },
  getParameter: {
    fields: {
      featureCompatibilityVersion: 'any',
      authenticationMechanisms: 'any',
      requireApiVersion: 'any',
      transactionLifetimeLimitSeconds: 'any',
      allParameters: 'any',
    },
    run: () => ({
      featureCompatibilityVersion: { version: VERSION.slice(0, 3) },
      authenticationMechanisms: [],
      requireApiVersion: false,
      transactionLifetimeLimitSeconds: 60,
    }),
  },
};

function buildInfo(): Document {
  return {
    version: VERSION,
    versionArray: [8, 0, 0, 0],
    gitVersion: 'embedded',
    modules: [],
    bits: 64,
    debug: false,
    maxBsonObjectSize: 16 * 1024 * 1024,
    storageEngines: ['lmdb'],
  };
}
