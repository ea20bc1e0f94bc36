import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { nextMail } from '../helpers/mailbox.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  feira = await startFeira({ HOST: own.some(({ address }) => address === '::1') ? '::1' : '127.0.0.1' });
});
afterAll(() => feira?.stop());

describe('without PUBLIC_URL', () => {
  it('links lead to the address that the shop listens on, also one of IPv6', async () => {
    await feira.api.post('/api/auth/forgot-password').send({ email: ADMIN.email }).expect(202);
    const { link } = await nextMail(feira, ADMIN.email);
    expect((await fetch(link)).status).toBe(200);
  });
});
