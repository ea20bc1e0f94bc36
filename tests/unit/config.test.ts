import { describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../../src/config.ts';

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('needs nothing and serves on port 8080 with demo data on the embedded store', () => {
    expect(loadConfig({})).toMatchObject({
      http: { port: 8080, host: '127.0.0.1', trustProxy: 0 },
      database: { uri: undefined, dir: expect.stringMatching(/\.feira[/\\]store$/) },
      demoData: true,
      logLevel: 'info',
    });
  });

  it('takes an empty variable as absent', () => {
    expect(loadConfig({ PORT: '', MONGODB_URI: '', FEIRA_API_KEY: '' })).toEqual(loadConfig({}));
  });

  it('names every fault at once, and what would be right', () => {
    const faults = faultsOf({
      PORT: '80x',
      PUBLIC_URL: 'shop.example',
      LOG_LEVEL: 'loud',
      DEMO_DATA: 'yes',
      CURRENCY: 'euro',
    });
    for (const fault of [
      'PORT must be a whole number from 0 to 65535',
      'PUBLIC_URL must be an http or https address',
      'LOG_LEVEL must be one of fatal, error',
      'DEMO_DATA must be 1 (on) or 0 (off)',
      'CURRENCY must be a three-letter currency code',
    ])
      expect(faults).toContainEqual(expect.stringContaining(fault));
    expect(faults).toHaveLength(5);
  });

  it('refuses proxies that are no addresses', () => {
    for (const TRUST_PROXY of ['10.0.0.300', 'cafe', '10.0.0.0/99', '10.0.0.1, ::g', 'true'])
      expect(faultsOf({ TRUST_PROXY })).toEqual([expect.stringMatching(/^TRUST_PROXY must be the number of proxies/)]);
    for (const TRUST_PROXY of ['2', 'loopback', '10.0.0.0/8, ::1', '10.0.0.0/255.0.0.0, uniquelocal'])
      expect(faultsOf({ TRUST_PROXY })).toEqual([]);
  });

  it('refuses numbers out of range, schemes that are not databases and paths in PUBLIC_URL', () => {
    expect(faultsOf({ PORT: '65536' })).toHaveLength(1);
    expect(faultsOf({ PORT: '-1' })).toHaveLength(1);
    expect(faultsOf({ MONGODB_URI: 'postgres://localhost' })).toHaveLength(1);
    expect(faultsOf({ PUBLIC_URL: 'https://shop.example/path' })).toHaveLength(1);
  });

  it('offers test payments outside production, and others when they are configured', () => {
    const payments = (env: Record<string, string>) => loadConfig(env).payments;
    expect(payments({})).toEqual({ bankDetails: undefined, test: true, captureLater: false, stripe: null });
    expect(payments({ NODE_ENV: 'production' }).test).toBe(false);
    expect(payments({ NODE_ENV: 'production', PAYMENT_TEST: '1' }).test).toBe(true);
    expect(payments({ PAYMENT_TEST: '0', PAYMENT_CAPTURE: 'later' })).toMatchObject({
      test: false,
      captureLater: true,
    });
    const stripe = { STRIPE_SECRET_KEY: 'sk_test_abc', STRIPE_WEBHOOK_SECRET: 'whsec_abc' };
    expect(payments({ ...stripe, BANK_DETAILS: 'PT50 0000' })).toMatchObject({
      bankDetails: 'PT50 0000',
      stripe: { secretKey: 'sk_test_abc', webhookSecret: 'whsec_abc' },
    });
  });

  it('names every fault of payments, and never the secrets', () => {
    const faults = faultsOf({ STRIPE_SECRET_KEY: 'pk_live_abc', PAYMENT_TEST: 'yes', PAYMENT_CAPTURE: 'soon' });
    expect(faults).toHaveLength(4);
    expect(faults.join(' ')).not.toContain('pk_live_abc');
    for (const name of ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET', 'PAYMENT_TEST', 'PAYMENT_CAPTURE'])
      expect(faults).toContainEqual(expect.stringMatching(new RegExp(`^${name} must`)));
    expect(faultsOf({ STRIPE_WEBHOOK_SECRET: 'whsec_abc' })).toEqual([
      expect.stringContaining('STRIPE_SECRET_KEY must be set with STRIPE_WEBHOOK_SECRET'),
    ]);
  });

  it('takes the sender of mail with and without a name, and wants one with a server', () => {
    const from = (MAIL_FROM: string) => loadConfig({ SMTP_URL: 'smtp://mail.example', MAIL_FROM }).mail.from;
    expect(from('Feira do Sol <mail@shop.example>')).toEqual({ name: 'Feira do Sol', address: 'mail@shop.example' });
    expect(from('mail@shop.example')).toEqual({ name: 'Feira', address: 'mail@shop.example' });
    expect(loadConfig({}).mail.from).toEqual({ name: 'Feira', address: 'no-reply@localhost' });
    expect(faultsOf({ SMTP_URL: 'smtp://mail.example', PORT: '80x' })).toEqual([
      expect.stringContaining('PORT must'),
      expect.stringContaining('MAIL_FROM must be set with SMTP_URL'),
    ]);
    for (const wrong of ['Feira', 'a@b, c@d', 'Feira <a@b> x', 'Feira\r\nBcc: x <a@b>', 'F <<a@b>'])
      expect(faultsOf({ MAIL_FROM: wrong })).toEqual([expect.stringContaining('MAIL_FROM must be an address')]);
    expect(faultsOf({ SMTP_URL: 'http://mail.example', MAIL_FROM: 'a@b' })).toHaveLength(1);
  });

  it('does not repeat secrets', () => {
    expect(faultsOf({ FEIRA_API_KEY: 'hunter2', MONGODB_URI: 'http://user:hunter2@db' }).join()).not.toContain(
      'hunter2',
    );
  });

  it('cannot be changed afterwards', () => {
    const config = loadConfig({});
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });
});
