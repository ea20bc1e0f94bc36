// Runs the store's tests on the embedded store and on the server of TEST_MONGODB_URI, and writes the table in the
// store's README: a row for each feature, which is a `describe` of the tests.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { featuresOfTests } from '../tests/store/features.ts';

const README = 'src/embedded-store/README.md';
const MARKERS = /(<!-- conformance -->\n).*(<!-- end of conformance -->)/s;

interface Counts {
  run: number;
  passed: number;
}

/** Of each feature, how many tests ran and passed on one server. */
function runTests(uri: string | undefined): Map<string, Counts> {
  const dir = mkdtempSync(join(tmpdir(), 'store-conformance-'));
  const report = join(dir, 'report.json');
  const { TEST_MONGODB_URI: _, ...env } = process.env;
  spawnSync('npm', ['run', '--silent', 'jest', '--', 'tests/store/', '--json', `--outputFile=${report}`], {
    env: uri ? { ...env, TEST_MONGODB_URI: uri } : env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; message: string; assertionResults: { ancestorTitles: string[]; status: string }[] }[];
  };
  rmSync(dir, { recursive: true });
  const counts = new Map<string, Counts>();
  for (const { name, message, assertionResults } of testResults) {
    if (assertionResults.length === 0) throw new Error(`${name} did not run: ${message}`);
    for (const { ancestorTitles, status } of assertionResults) {
      const { run, passed } = counts.get(String(ancestorTitles[0])) ?? { run: 0, passed: 0 };
      counts.set(String(ancestorTitles[0]), { run: run + 1, passed: passed + (status === 'passed' ? 1 : 0) });
    }
  }
  return counts;
}

function total(counts: Map<string, Counts>): Counts {
  const all = { run: 0, passed: 0 };
  for (const { run, passed } of counts.values()) {
    all.run += run;
    all.passed += passed;
  }
  return all;
}

async function nameOf(uri: string): Promise<string> {
  const client = await new MongoClient(uri).connect();
  const { version, gitVersion } = await client.db('admin').command({ buildInfo: 1 });
  await client.close();
  return gitVersion === 'documentdb' ? 'DocumentDB on PostgreSQL' : `MongoDB ${version}`;
}

const shown = (counts: Counts | undefined): string =>
  !counts ? '' : counts.passed === counts.run ? `${counts.run}` : `${counts.passed} of ${counts.run}`;

const uri = process.env.TEST_MONGODB_URI;
if (!uri) {
  console.error('TEST_MONGODB_URI has to name the other server.');
  process.exit(2);
}
const features = featuresOfTests();
const other = await nameOf(uri);
const embedded = runTests(undefined);
const given = runTests(uri);
const rows = [...features].map(
  ([name, differences]) => `| ${name} | ${shown(embedded.get(name))} | ${shown(given.get(name))} | ${differences} |`,
);
const text = `Tests that pass: ${shown(total(embedded))} on the embedded store, ${shown(total(given))} on ${other}.

| feature | embedded | other | what the other server does instead |
|---|---|---|---|
${rows.join('\n')}
`;
const readme = readFileSync(README, 'utf8');
writeFileSync(
  README,
  readme.replace(MARKERS, (_, begin: string, end: string) => `${begin}${text}${end}`),
);
process.exit([embedded, given].every((counts) => total(counts).passed === total(counts).run) ? 0 : 1);
