import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { problemKinds } from '../../src/problem-codes.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('a page that does not exist', () => {
  it('says so with the code, the request id and a way on', async () => {
    const { text } = await feira.page('/nothing-here').set('X-Request-Id', 'my-request').expect(404);
    for (const words of ['Not found', 'NOT_FOUND', 'my-request', 'href="/"', 'href="/problems/not-found"'])
      expect(text).toContain(words);
    expect(text).not.toMatch(/\bat .*\.(ts|js):\d+/);
  });

  it('is a problem document for a program', async () => {
    const { body } = await feira.api.get('/nothing-here').set('Accept', 'application/json').expect(404);
    expect(body).toMatchObject({ code: 'NOT_FOUND', type: '/problems/not-found' });
  });

  it('does not show the address as markup', async () => {
    const { text } = await feira.page('/%3Cscript%3Ealert(1)%3C/script%3E').expect(404);
    expect(text).not.toContain('<script>alert');
  });
});

describe('/problems', () => {
  it('explains every code on a page of its own', async () => {
    const { text } = await feira.page('/problems').expect(200);
    const addresses = [...text.matchAll(/href="(\/problems\/[^"]+)"/g)].map(([, address]) => address!);
    expect(addresses).toHaveLength(Object.keys(problemKinds).length);
    for (const address of addresses) await feira.page(address).expect(200, /HTTP status/);
  });
});
