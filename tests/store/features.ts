import { readdirSync, readFileSync } from 'node:fs';

const DIRECTORY = 'tests/store';

/**
 * The features that the tests of the store are about, each a top-level `describe`, with what another server does
 * instead: what the tests gave to `differs`, and the first comment of a `*.embedded.test.ts`. Nothing is run.
 * @throws Error about a file that does not say what it is about.
 */
export function featuresOfTests(): Map<string, string> {
  const said = new Map<string, Set<string>>();
  for (const file of readdirSync(DIRECTORY).filter((name) => name.endsWith('.test.ts'))) {
    const source = readFileSync(`${DIRECTORY}/${file}`, 'utf8');
    if (/^(it|test|describe\.)\b/m.test(source)) throw new Error(`${file}: every test stands in a plain describe`);
    const [head = '', ...parts] = source.split(/^describe\('/m);
    for (const part of parts) {
      const name = part.slice(0, part.indexOf("'"));
      const differences = said.get(name) ?? new Set();
      for (const [, , how] of part.matchAll(/\.differs\(\s*(['"])(.*?)\1/g)) differences.add(String(how));
      if (file.includes('.embedded.')) differences.add(`not run: ${reasonOf(file, head)}`);
      said.set(name, differences);
    }
  }
  const sorted = [...said].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([name, differences]) => [name, [...differences].join('; ')]));
}

function reasonOf(file: string, head: string): string {
  const [comment = ''] = /^(\/\/ .*\n)+/.exec(head) ?? [];
  if (!comment) throw new Error(`${file}: its first comment says why it is about the embedded store alone`);
  return comment
    .replace(/^\/\/ /gm, '')
    .trim()
    .replaceAll('\n', ' ')
    .replace(/\.$/, '');
}
