import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ PUBLIC_URL: 'https://shop.example' });
});
afterAll(() => feira.stop());

describe('with PUBLIC_URL', () => {
  const handshake = (origin: string, host: string) =>
    feira.api.get('/socket.io/?EIO=4&transport=polling').set({ Origin: origin, Host: host });
  const formPost = (origin: string, host: string) =>
    feira.api.post('/api/carts').set({ Origin: origin, Host: host, Cookie: '__Host-feira_cart=x' });

  it('believes it and not the Host header', async () => {
    expect((await handshake('https://evil.example', 'evil.example')).status).toBe(403);
    expect((await handshake('https://shop.example', 'evil.example')).status).toBe(200);
    expect((await formPost('https://evil.example', 'evil.example')).body.code).toBe('FOREIGN_ORIGIN');
    expect((await formPost('https://shop.example', '10.0.0.7:8080')).status).toBe(201);
  });

  it('promises https to browsers and marks cookies secure when it is https', async () => {
    const answer = await formPost('https://shop.example', 'shop.example');
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=\d+/);
    expect(answer.headers['set-cookie']?.[0]).toContain('Secure');
  });
});
