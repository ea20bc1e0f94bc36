import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { appAlone } from '../helpers/app-alone.ts';

const up = { ping: async () => {}, isStopping: () => false };

describe('GET /healthz', () => {
  it('answers while the process lives, whatever the database does', async () => {
    const app = appAlone({ ping: () => Promise.reject(new Error('down')), isStopping: () => true });
    await request(app).get('/healthz').expect(200, { status: 'ok' });
  });
});

describe.each(['/healthz', '/readyz'])('%s', (path) => {
  it('takes no other method, and says which', async () => {
    const app = appAlone(up);
    for (const method of ['post', 'put', 'delete'] as const) {
      const res = await request(app)[method](path).expect(405).expect('Allow', 'GET, HEAD');
      expect(res.body).toMatchObject({ code: 'METHOD_NOT_ALLOWED', requestId: res.headers['x-request-id'] });
    }
    await request(app).head(path).expect(200);
    await request(app).options(path).expect(204).expect('Allow', 'GET, HEAD');
  });
});

describe('GET /readyz', () => {
  it('answers 200 when the database answers', async () => {
    const { headers } = await request(appAlone(up)).get('/readyz').expect(200, { status: 'ready' });
    expect(headers['cache-control']).toBe('no-store');
  });

  it.each([
    ['the database is away', { ping: () => Promise.reject(new Error('mongodb://secret is down')) }],
    ['the shop is stopping', { isStopping: () => true }],
  ])('answers 503 with a problem while %s', async (_state, state) => {
    const res = await request(appAlone({ ...up, ...state }))
      .get('/readyz')
      .expect(503);
    expect(res.type).toBe('application/problem+json');
    expect(res.headers['retry-after']).toBe('5');
    expect(res.body).toMatchObject({ code: 'UNAVAILABLE', status: 503, requestId: res.headers['x-request-id'] });
    expect(res.text).not.toContain('secret');
  });
});
