import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { productInput } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ WRITES_PER_MINUTE: '3' });
});
afterAll(() => feira.stop());

it('changes are limited by the minute, each caller apart, and the answer says when to go on', async () => {
  const create = () => feira.withKey('post', '/api/products').send(productInput());
  for (const left of [2, 1, 0]) {
    const { headers } = await create().expect(201);
    expect(headers['ratelimit-policy']).toBe('"writes";q=3;w=60');
    expect(headers.ratelimit).toMatch(new RegExp(`^"writes";r=${left};t=\\d+$`));
  }
  const refused = await create().expect(429);
  expect(refused.body.code).toBe('TOO_MANY_REQUESTS');
  expect(refused.headers['retry-after']).toMatch(/^[1-9]\d?$/);
  expect(refused.headers.ratelimit).toMatch(/^"writes";r=0;t=\d+$/);

  // Reads go on, and without the key it is another caller with a limit of their own.
  expect((await feira.api.get('/api/products').expect(200)).body.total).toBe(3);
  for (let i = 0; i < 3; i++) await feira.api.post('/api/products').send(productInput()).expect(401);
  const elsewhere = feira.api.post('/api/products').set('X-Forwarded-For', '203.0.113.7');
  await elsewhere.send(productInput()).expect(429);
});
