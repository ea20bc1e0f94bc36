// Runs the suite against the server of TEST_MONGODB_URI, or against a real mongod that mongodb-memory-server-core
// downloads where the network allows it. Arguments go to Jest.
import { spawnSync } from 'node:child_process';
import { MongoMemoryReplSet } from 'mongodb-memory-server-core';

const given = process.env.TEST_MONGODB_URI;
const server = given ? null : await MongoMemoryReplSet.create({ replSet: { count: 1, storageEngine: 'wiredTiger' } });
const env = { ...process.env, TEST_MONGODB_URI: given ?? server.getUri() };
const { status } = spawnSync('npm', ['run', 'jest', '--', ...process.argv.slice(2)], { stdio: 'inherit', env });
await server?.stop();
process.exit(status ?? 1);
