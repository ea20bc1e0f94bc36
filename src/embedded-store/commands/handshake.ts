import type { Document } from 'bson';
import type { Command, CommandContext, CommandTable } from './command.ts';

/** The server version whose behaviour is followed, and the wire version that goes with it. */
const VERSION = '8.0.0';
const MAX_WIRE_VERSION = 25;
const REPLICA_SET = 'embedded';

function hello({ connectionId, command, engine, name }: CommandContext): Document {
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
    ...(command.saslSupportedMechs !== undefined && { saslSupportedMechs: [] }),
  };
}

const handshake: Command = {
  fields: {
    client: 'any',
    compression: 'any',
    saslSupportedMechs: 'any',
    speculativeAuthenticate: 'any',
    topologyVersion: 'any',
    maxAwaitTimeMS: 'any',
    loadBalanced: 'any',
    backpressure: 'any',
  },
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
