/**
 * Configuration: environment variables in, one typed and frozen object out.
 * The only reader of process.env. `.env.example` explains every variable.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import dotenv from 'dotenv';
import proxyAddr from 'proxy-addr';
import { z } from 'zod';
import { DEFAULT_RULES, ShopRules } from './shop-rules.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const wholeNumber = (min: number, max: number, fallback: number) => {
  const message = `must be a whole number from ${min} to ${max}, for example ${fallback}`;
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((n) => n >= min && n <= max, message)
    .default(fallback);
};

const truth = z
  .enum(['0', '1', 'false', 'true'], 'must be 1 (on) or 0 (off)')
  .transform((value) => value === '1' || value === 'true');

const flag = (fallback: boolean) => truth.default(fallback);

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, `must be one of ${values.join(', ')}`);

/** Express's `trust proxy`: a number of proxies, or the addresses of the proxies. */
const trustProxy = z
  .string()
  .refine((value) => /^\d{1,2}$/.test(value) || areProxies(value), {
    message: 'must be the number of proxies in front (for example 1), or their addresses (for example 10.0.0.0/8)',
  })
  .transform((value) => (/^\d{1,2}$/.test(value) ? Number(value) : value))
  .default(0);

/** As Express will read it. */
function areProxies(value: string): boolean {
  try {
    proxyAddr.compile(value.split(/ *, */));
    return true;
  } catch {
    return false;
  }
}

const publicUrl = z
  .url({
    protocol: /^https?$/,
    message: 'must be an http or https address, for example https://shop.example',
  })
  .refine((value) => !URL.canParse(value) || new URL(value).pathname === '/', 'must have no path: https://shop.example')
  .transform((value) => new URL(value).origin);

/** `Feira <mail@shop.example>`, or the address alone. */
const sender = z
  .string()
  .regex(
    /^(?:[^<>"\p{Cc}]{1,60}<[\w.+-]{1,64}@[\w.-]{1,190}>|[\w.+-]{1,64}@[\w.-]{1,190})$/u,
    'must be an address, or a name and an address: Feira <mail@shop.example>',
  )
  .transform((value) => {
    const [name = '', address] = value.split('<');
    return address ? { name: name.trim(), address: address.slice(0, -1) } : { name: 'Feira', address: value };
  });

/** A JSON file; each of its faults is one. */
const shopRules = z.string().transform((path, context) => {
  try {
    const parsed = ShopRules.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return parsed.data;
    for (const { path: at, message } of parsed.error.issues)
      context.addIssue({ code: 'custom', message: `is wrong at ${at.join('.') || 'its root'}: ${message}` });
  } catch (error) {
    context.addIssue({ code: 'custom', message: `cannot be read: ${(error as Error).message}` });
  }
  return z.NEVER;
});

const Variables = z.object({
  NODE_ENV: oneOf(['development', 'production', 'test']).default('development'),
  PORT: wholeNumber(0, 65_535, 8080),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: publicUrl.optional(),
  TRUST_PROXY: trustProxy,
  DATA_DIR: z.string().default('.feira'),
  UPLOADS_DIR: z.string().default('uploads'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/./, 'must start with mongodb:// or mongodb+srv://')
    .optional(),
  FEIRA_API_KEY: z.string().min(8, 'must have at least 8 characters; leave it out to have one made').optional(),
  ADMIN_EMAIL: z.email('must be an e-mail address').optional(),
  ADMIN_PASSWORD: z.string().min(8, 'must have at least 8 characters').max(128, 'must have at most 128').optional(),
  REQUIRE_2FA: flag(false),
  ENCRYPTION_KEY: z.string().min(32, 'must have at least 32 characters, random ones').optional(),
  CURRENCY: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a three-letter currency code (ISO 4217), for example EUR')
    .default('EUR'),
  SHOP_RULES: shopRules.optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\/./, 'must start with smtp:// or smtps://')
    .refine((value) => URL.canParse(value), 'must be an address such as smtp://user:password@mail.example:587')
    .optional(),
  MAIL_FROM: sender.optional(),
  WEBHOOK_ALLOW_PRIVATE: flag(false),
  DEMO_DATA: flag(true),
  LOG_LEVEL: oneOf(LOG_LEVELS).default('info'),
  WRITES_PER_MINUTE: wholeNumber(1, 1_000_000, 600),
  SOCKETS_PER_ADDRESS: wholeNumber(1, 1_000_000, 200),
  BANK_DETAILS: z.string().max(1000, 'must have at most 1000 characters').optional(),
  PAYMENT_TEST: truth.optional(),
  PAYMENT_CAPTURE: oneOf(['at-once', 'later']).default('at-once'),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^[sr]k_(test|live)_\w+$/, 'must start with sk_ or rk_, then test_ or live_')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_\w+$/, 'must start with whsec_')
    .optional(),
  STRIPE_API_URL: publicUrl.optional(),
  CHAT_GRACE_MS: wholeNumber(0, 600_000, 5000),
  CHAT_JOINS_PER_MINUTE: wholeNumber(1, 1_000_000, 30),
  CHAT_MESSAGES_PER_TEN_SECONDS: wholeNumber(1, 1_000_000, 10),
});

const Environment = Variables.refine(({ SMTP_URL, MAIL_FROM }) => !SMTP_URL || MAIL_FROM, {
  path: ['MAIL_FROM'],
  message: 'must be set with SMTP_URL: servers take mail only from an address that exists',
  // Named beside the other faults, not after them.
  when: () => true,
})
  .refine(({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }) => !STRIPE_SECRET_KEY || STRIPE_WEBHOOK_SECRET, {
    path: ['STRIPE_WEBHOOK_SECRET'],
    message: 'must be set with STRIPE_SECRET_KEY: only so it is known that a webhook comes from Stripe',
    when: () => true,
  })
  .refine(({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET }) => !STRIPE_WEBHOOK_SECRET || STRIPE_SECRET_KEY, {
    path: ['STRIPE_SECRET_KEY'],
    message: 'must be set with STRIPE_WEBHOOK_SECRET',
    when: () => true,
  });

/** What a person set wrongly, every fault at once. `message` is ready to be printed. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(['The configuration has faults:', ...faults.map((fault) => `  - ${fault}`), 'See .env.example.'].join('\n'));
    this.faults = faults;
  }
}

/** The environment of this process, completed from the file `.env` where there is one. */
export function processEnvironment(): NodeJS.ProcessEnv {
  dotenv.config({ quiet: true });
  return process.env;
}

/**
 * Reads the configuration; an empty variable counts as absent.
 * @throws ConfigError with every fault and what would be right. Values are not repeated: some are secrets.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = Environment.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map((issue) => `${String(issue.path[0])} ${issue.message}`));
  const v = parsed.data;
  return Object.freeze({
    production: v.NODE_ENV === 'production',
    logLevel: v.LOG_LEVEL,
    currency: v.CURRENCY,
    rules: Object.freeze(v.SHOP_RULES ?? DEFAULT_RULES),
    demoData: v.DEMO_DATA,
    apiKey: v.FEIRA_API_KEY,
    admin: Object.freeze({ email: v.ADMIN_EMAIL, password: v.ADMIN_PASSWORD }),
    twoStep: Object.freeze({
      requiredForStaff: v.REQUIRE_2FA,
      encryptionKey: Object.freeze({
        given: v.ENCRYPTION_KEY,
        // Beside the embedded store; on another database, other processes must have the same.
        file: v.MONGODB_URI ? null : resolve(v.DATA_DIR, 'encryption.key'),
      }),
    }),
    uploadsDir: resolve(v.UPLOADS_DIR),
    database: Object.freeze({
      uri: v.MONGODB_URI,
      dir: resolve(v.DATA_DIR, 'store'),
    }),
    http: Object.freeze({
      port: v.PORT,
      host: v.HOST,
      publicUrl: v.PUBLIC_URL,
      /** People reach the shop by https only. */
      secure: v.PUBLIC_URL?.startsWith('https:') ?? false,
      trustProxy: v.TRUST_PROXY,
    }),
    mail: Object.freeze({
      smtpUrl: v.SMTP_URL,
      from: v.MAIL_FROM ?? { name: 'Feira', address: 'no-reply@localhost' },
      outboxDir: resolve(v.DATA_DIR, 'outbox'),
    }),
    payments: Object.freeze({
      bankDetails: v.BANK_DETAILS,
      test: v.PAYMENT_TEST ?? v.NODE_ENV !== 'production',
      captureLater: v.PAYMENT_CAPTURE === 'later',
      stripe:
        v.STRIPE_SECRET_KEY && v.STRIPE_WEBHOOK_SECRET
          ? Object.freeze({
              secretKey: v.STRIPE_SECRET_KEY,
              webhookSecret: v.STRIPE_WEBHOOK_SECRET,
              apiUrl: v.STRIPE_API_URL,
            })
          : null,
    }),
    webhooks: Object.freeze({
      allowPrivate: v.WEBHOOK_ALLOW_PRIVATE && v.NODE_ENV !== 'production',
      httpsOnly: v.NODE_ENV === 'production',
    }),
    limits: Object.freeze({
      writesPerMinute: v.WRITES_PER_MINUTE,
      socketsPerAddress: v.SOCKETS_PER_ADDRESS,
    }),
    chat: Object.freeze({
      graceMs: v.CHAT_GRACE_MS,
      joinsPerMinute: v.CHAT_JOINS_PER_MINUTE,
      messagesPerTenSeconds: v.CHAT_MESSAGES_PER_TEN_SECONDS,
    }),
  });
}

export type Config = ReturnType<typeof loadConfig>;
