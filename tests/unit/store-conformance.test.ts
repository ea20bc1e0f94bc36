import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { featuresOfTests } from '../store/features.ts';

describe('the conformance table of the embedded store', () => {
  it('has the features and differences that the tests name; if not: npm run store:conformance', async () => {
    const readme = await readFile('src/embedded-store/README.md', 'utf8');
    const table = /<!-- conformance -->(.*)<!-- end of conformance -->/s.exec(readme)?.[1] ?? '';
    const rows = [...table.matchAll(/^\| (.+?) \| \d+ \| \d* \| (.*) \|$/gm)].map(([, name, how]) => `${name}: ${how}`);
    expect(rows).toEqual([...featuresOfTests()].map(([name, differences]) => `${name}: ${differences}`));
  });
});
