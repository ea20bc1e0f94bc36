// Runs the tools of the embedded store on the directory that the configuration names. In a process of their own: reading
// a damaged file can end it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** @type {(path: string) => string} */
const built = (path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

/** @returns {Promise<{ uri: string | undefined, dir: string }>} */
async function configuredDatabase() {
  const { loadConfig, processEnvironment } = await import(built('config.js'));
  return loadConfig(processEnvironment()).database;
}

try {
  const { uri, dir } = await configuredDatabase();
  if (uri) console.error('MONGODB_URI is set: the shop uses that database, not the store that this command is about.');
  const { status, signal } = spawnSync(
    process.execPath,
    [built('embedded-store/tools.js'), dir, ...process.argv.slice(2)],
    // npm runs scripts in the project's directory, and notes where the person is.
    { stdio: 'inherit', cwd: process.env.INIT_CWD },
  );
  if (signal && signal !== 'SIGINT' && signal !== 'SIGTERM')
    console.error(`The file of the store is damaged: reading it ended the process (${signal}).`);
  process.exitCode = status ?? 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
