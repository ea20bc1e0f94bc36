// Runs the suite against the server of TEST_MONGODB_URI, or against a real mongod that mongodb-memory-server-core
// downloads where the network allows it. Arguments go to Jest.
import { spawnSync } from 'node:child_process';
import { MongoMemoryReplSet } from 'mongodb-memory-server-core';

const env = { ...process.env };
const server = env.TEST_MONGODB_URI ? null : await MongoMemoryReplSet.create({ replSet: { count: 1 } });
env.TEST_MONGODB_URI ??= server?.getUri();
const { status } = spawnSync('npm', ['run', 'jest', '--', ...process.argv.slice(2)], { stdio: 'inherit', env });
await server?.stop();
process.exit(status ?? 1);
