import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LIMITS } from '../../src/services/login-limits.ts';
import { admin, anAddress, logIn, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { createCart, createCoupon, createProduct } from '../helpers/factories.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  // One proxy in front: the tests say where requests come from.
  feira = await startFeira({ TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

let last = 0;
/** An address that nobody has come from yet. */
const somewhere = () => `203.0.${Math.floor(++last / 250)}.${last % 250}`;

const tryLogin = (email: string, password: string, address: string) =>
  feira.api.post('/api/auth/login').set('X-Forwarded-For', address).send({ email, password });

/** Statuses of so many wrong logins at once. */
const guess = async (email: string, times: number, addressOf: (n: number) => string) => {
  const answers = await Promise.all(
    Array.from({ length: times }, (_, n) => tryLogin(email, `a wrong guess ${n}`, addressOf(n))),
  );
  return answers.map(({ status }) => status);
};
const count = (statuses: number[], status: number) => statuses.filter((one) => one === status).length;

describe('guessing a password', () => {
  it('ends after ten tries from one address, also when they come at once; the owner logs in from elsewhere', async () => {
    const { email } = await signUp(feira);
    const address = somewhere();
    const statuses = await guess(email, 40, () => address);
    expect([count(statuses, 401), count(statuses, 429)]).toEqual([10, 30]);

    const refused = await tryLogin(email, PASSWORD, address);
    expect(refused.body.code).toBe('TOO_MANY_REQUESTS');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await tryLogin(email, PASSWORD, somewhere()).expect(200);
  });

  it('ends the same way for an address without an account', async () => {
    const address = somewhere();
    const statuses = await guess(anAddress(), 15, () => address);
    expect([count(statuses, 401), count(statuses, 429)]).toEqual([10, 5]);
  });

  it('ends from many addresses too, but not for the addresses of the owner', async () => {
    const { email } = await signUp(feira);
    const home = somewhere();
    await tryLogin(email, PASSWORD, home).expect(200);
    const statuses = await guess(email, 60, somewhere);
    expect(count(statuses, 401)).toBe(50);
    expect((await tryLogin(email, PASSWORD, somewhere())).status).toBe(429);
    await tryLogin(email, PASSWORD, home).expect(200);
  });

  it('does not keep the owner out whose device has another address of its network of IPv6 today', async () => {
    const { email } = await signUp(feira);
    await tryLogin(email, PASSWORD, '2001:db8:5:6::1').expect(200);
    await guess(email, 60, somewhere);
    expect((await tryLogin(email, PASSWORD, '2001:db8:5:7::1')).status).toBe(429);
    await tryLogin(email, PASSWORD, '2001:db8:5:6:aaaa:bbbb:cccc:dddd').expect(200);
  });

  it('ends for one address that tries many accounts', async () => {
    const address = somewhere();
    const answers = await Promise.all(Array.from({ length: 60 }, () => tryLogin(anAddress(), 'a guess', address)));
    expect(
      count(
        answers.map(({ status }) => status),
        401,
      ),
    ).toBe(50);
  });

  it('counts a whole network of IPv6 as one', async () => {
    const { email } = await signUp(feira);
    const statuses = await guess(email, 15, (n) => (n % 2 ? `2001:db8:1::${n}` : `2001:db8:1:0:${n + 1}:2:3:4`));
    expect(count(statuses, 401)).toBe(10);
  });

  it('is not undone by a right login of another account', async () => {
    const { email } = await signUp(feira);
    const address = somewhere();
    const other = await signUp(feira);
    await guess(email, 10, () => address);
    await tryLogin(other.email, PASSWORD, address).expect(200);
    await tryLogin(email, PASSWORD, address).expect(429);
  });

  it('is not what twenty right logins at once are', async () => {
    const { email } = await signUp(feira);
    const address = somewhere();
    const answers = await Promise.all(Array.from({ length: 20 }, () => tryLogin(email, PASSWORD, address)));
    expect(
      count(
        answers.map(({ status }) => status),
        200,
      ),
    ).toBe(20);
  });

  it('starts anew after a right login', async () => {
    const { email } = await signUp(feira);
    const address = somewhere();
    await guess(email, 9, () => address);
    await tryLogin(email, PASSWORD, address).expect(200);
    expect(count(await guess(email, 9, () => address), 401)).toBe(9);
  });

  it('is no easier on the page that asks for the password again', async () => {
    const { as } = await someone(feira);
    const answers = await Promise.all(
      Array.from({ length: 15 }, () =>
        as('post', '/api/auth/change-password').send({ current: 'a guess', password: 'a new long password' }),
      ),
    );
    expect(
      count(
        answers.map(({ status }) => status),
        422,
      ),
    ).toBe(10);
  });
});

describe('asking for mails', () => {
  const forgot = (email: string, address: string) =>
    feira.api.post('/api/auth/forgot-password').set('X-Forwarded-For', address).send({ email });

  it('ends after five to one person from one address', async () => {
    const { email } = await signUp(feira);
    const address = somewhere();
    const answers = await Promise.all(Array.from({ length: 8 }, () => forgot(email, address)));
    expect(
      count(
        answers.map(({ status }) => status),
        202,
      ),
    ).toBe(5);
    await forgot(email, somewhere()).expect(202);
  });

  it('does not fill the mailbox of somebody, whoever asks, and tells nobody so', async () => {
    const { email } = await signUp(feira);
    const answers = await Promise.all(Array.from({ length: 30 }, () => forgot(email, somewhere())));
    expect(
      count(
        answers.map(({ status }) => status),
        202,
      ),
    ).toBe(30);
    expect((await mailsTo(feira.config.mail.outboxDir, email)).length).toBeLessThanOrEqual(20);
  });

  it('leaves the link of the last mail valid, however often others ask for more', async () => {
    const email = anAddress();
    const signUpFrom = (address: string) =>
      feira.api
        .post('/api/auth/signup')
        .set('X-Forwarded-For', address)
        .send({ email, name: 'Ana', password: PASSWORD });
    for (let n = 0; n < LIMITS.mailbox.points; n++) await signUpFrom(somewhere()).expect(202);
    let link = await nextMail(feira, email);
    for (let n = 1; n < LIMITS.mailbox.points; n++) link = await nextMail(feira, email);
    await signUpFrom(somewhere()).expect(202);
    await feira.api.post('/api/auth/verify-email').send({ token: link.token }).expect(201);
  });

  it('is no easier for somebody who is logged in and names other addresses as their new one', async () => {
    const ana = await someone(feira);
    const victim = anAddress('victim');
    const change = (email: string, address: string) =>
      ana.as('post', '/api/auth/change-email').set('X-Forwarded-For', address).send({ email, password: PASSWORD });
    const home = somewhere();
    const answers = await Promise.all(Array.from({ length: 8 }, () => change(victim, home)));
    expect(
      count(
        answers.map(({ status }) => status),
        202,
      ),
    ).toBe(LIMITS.mail.points);
    await change(anAddress(), home).expect(202);
    expect((await mailsTo(feira.config.mail.outboxDir, victim)).length).toBeLessThanOrEqual(LIMITS.mail.points);
  });
});

describe('a new password', () => {
  const ask = (password: string, overrides: object = {}) =>
    feira.api
      .post('/api/auth/signup')
      .set('X-Forwarded-For', somewhere())
      .send({ email: anAddress(), name: 'Ana Sousa', password, ...overrides });

  it.each(['password1', 'PASSWORD1', '12345678', 'qwertyuiop', 'iloveyou1', 'aaaaaaaaaaaa', 'abcabcabcabc'])(
    'is not %s',
    async (password) => {
      const { status, body } = await ask(password);
      expect([status, body.errors]).toEqual([
        422,
        [{ pointer: '#/password', detail: 'is among the first that guessers try' }],
      ]);
    },
  );

  it('is not the address of the account', async () => {
    const email = anAddress();
    await ask(email, { email }).then(({ status }) => expect(status).toBe(422));
  });

  it('is not a common one when it is reset or changed', async () => {
    const { as } = await someone(feira);
    const change = { current: PASSWORD, password: 'password123' };
    await as('post', '/api/auth/change-password').send(change).expect(422);
  });

  it('may have 128 characters of any script, and no more', async () => {
    await ask('ж'.repeat(100) + 'あ漢🐦x'.repeat(7)).then(({ status }) => expect(status).toBe(202));
    await ask(`${'あ漢🐦x'.repeat(32)}y`).then(({ status }) => expect(status).toBe(422));
  });
});

describe('guessing the code of a coupon', () => {
  it('ends after fifty tries from one address, by whatever cart or page; others use theirs', async () => {
    const coupon = await createCoupon(await admin(feira));
    const { id: productId } = await createProduct(feira);
    const aCart = () => createCart(feira, [{ productId, quantity: 1 }]);
    const use = ({ request }: Awaited<ReturnType<typeof aCart>>, code: string, address: string) =>
      request('put', '/coupon').set('X-Forwarded-For', address).send({ code });
    const address = somewhere();
    for (let batch = 0; batch < 5; batch++) {
      const cart = await aCart();
      const tries = Array.from({ length: 10 }, (_, n) => use(cart, `GUESS-${batch}-${n}`, address).expect(409));
      await Promise.all(tries);
    }
    const mine = await aCart();
    const refused = await use(mine, coupon.code, address).expect(429);
    expect(refused.body.code).toBe('TOO_MANY_REQUESTS');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    await feira.api
      .post('/checkout')
      .type('form')
      .set({ 'X-Forwarded-For': address, Cookie: `feira_cart=${mine.id}.${mine.secret}` })
      .send({ coupon: coupon.code, do: 'apply' })
      .expect(429);
    await use(mine, coupon.code, somewhere()).expect(200);
  });
});

describe('the time of an answer', () => {
  /** Half a minute on an idle machine: two at a time, as many passwords as are hashed at once. */
  const TRIES = 200;
  const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
  const timed = async (work: () => PromiseLike<unknown>) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };

  it('does not tell whether an address has an account', async () => {
    const known: number[] = [];
    const unknown: number[] = [];
    let email = '';
    for (let i = 0; i < TRIES; i++) {
      // An account takes fifty wrong guesses from everywhere.
      if (i % 40 === 0) ({ email } = await signUp(feira));
      const tries = [
        async () => known.push(await timed(() => tryLogin(email, 'a wrong guess', somewhere()).expect(401))),
        async () => unknown.push(await timed(() => tryLogin(anAddress(), 'a wrong guess', somewhere()).expect(401))),
      ];
      // Both at once, so that they meet the same machine; each is the first as often as the other.
      await Promise.all((i % 2 ? tries : tries.reverse()).map((one) => one()));
    }
    expect(known).toHaveLength(TRIES);
    expect(Math.abs(median(known) - median(unknown))).toBeLessThan(20);
    await logIn(feira, email);
  }, 100_000);
});
